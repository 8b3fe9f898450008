// From the text of a payload to numbers: base64, gzip and halves.

/** @param {string} text */
export function fromBase64(text) {
  const native = /** @type {any} */ (Uint8Array).fromBase64; // browsers of 2025 and later
  if (native) return /** @type {Uint8Array<ArrayBuffer>} */ (native.call(Uint8Array, text));
  // A plain loop: Uint8Array.from with a callback takes ten times as long.
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
export function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** @param {Uint8Array} bytes of halves: the low ones of all, then the high ones */
export function fromFloat16(bytes) {
  // The same bits further left, in a number whose exponent counts from 127 instead of 15; a power
  // of two makes up for that, for subnormal numbers too.
  const size = bytes.length / 2;
  const bits = new Uint32Array(size);
  const values = new Float32Array(bits.buffer);
  for (let i = 0; i < size; i++) {
    const half = bytes[i] | (bytes[size + i] << 8);
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) !== 0x7c00) values[i] *= 2 ** 112;
    else bits[i] |= 0x7f800000; // infinity, or not a number
  }
  return values;
}
