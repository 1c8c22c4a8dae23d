// An API to protect: tells what reached it, and streams.
export default {
  async fetch(request) {
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/echo":
        return new Response(request.body, { headers: { "content-type": request.headers.get("content-type") ?? "text/plain" } });
      case "/socket":
        return socket(request);
      case "/stream":
        return new Response(ticks(Number(url.searchParams.get("ticks") ?? 5), Number(url.searchParams.get("ms") ?? 200)));
      case "/redirect":
        return new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } });
      case "/cookies":
        return new Response("", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2; Path=/"]] });
      case "/cancelled":
        return Response.json({ cancelled });
      default:
        return Response.json({
          method: request.method,
          path: url.pathname,
          query: url.search,
          headers: [...request.headers],
        });
    }
  },
};

/** Sends back each message. */
function socket(request) {
  if (request.headers.get("upgrade") !== "websocket") return new Response("a WebSocket is served here\n", { status: 426 });
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.addEventListener("message", ({ data }) => server.send(data));
  return new Response(null, { status: 101, webSocket: client });
}

/** How many streams were given up before their end. */
let cancelled = 0;

/** A line every `ms` milliseconds, the first at once. */
function ticks(count, ms) {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent === count) return controller.close();
      if (sent > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      sent += 1;
      controller.enqueue(new TextEncoder().encode(`tick ${sent}\n`));
    },
    cancel() {
      cancelled += 1;
    },
  });
}
