// Draws QR codes. Loaded with the first one.
import { encode } from "uqr";

/** Modules of blank around a code, which scanners need (ISO/IEC 18004 §9.1). */
const QUIET = 4;

/**
 * Draws a text as a QR code, dark on white in either theme.
 * @param {{text: string, label: string}} props
 */
export function QrCode({ text, label }) {
  const { data, size } = encode(text, { border: 0, ecc: "M" });
  const whole = size + 2 * QUIET;
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")))
    .join("");
  return (
    <svg class="qr" viewBox={`0 0 ${whole} ${whole}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={whole} height={whole} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
