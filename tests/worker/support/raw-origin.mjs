// An origin by URL that keeps the bytes of each request, and answers as a test says.
import net from "node:net";

/**
 * Starts the origin on loopback. `last` is the head of the last request, by lines; `answers` maps a path to the
 * lines of an answer's head.
 */
export async function rawOrigin() {
  const origin = { last: [], answers: {} };
  const server = net.createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      origin.last = text.split("\r\n\r\n")[0].split("\r\n");
      const path = origin.last[0].split(" ")[1];
      const head = origin.answers[path] ?? ["HTTP/1.1 200 OK"];
      socket.end([...head, "Content-Length: 0", "Connection: close", "", ""].join("\r\n"));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin.base = `http://127.0.0.1:${server.address().port}`;
  origin.close = () => new Promise((resolve) => server.close(resolve));
  return origin;
}
