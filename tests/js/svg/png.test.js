import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, inflateSync } from "node:zlib";
import { base64, png } from "../../../bertviz/js/svg/png.js";

test("a PNG has the pixels it was given, and the checksums that readers ask for", async () => {
  const [width, height] = [3, 2];
  const rgba = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (37 * i) % 256);
  const file = Buffer.from(await png(width, height, rgba));
  assert.deepEqual(file.subarray(0, 8), Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  /** @type {Record<string, Buffer>} */
  const chunks = {};
  for (let at = 8; at < file.length;) {
    const size = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + size);
    assert.equal(file.readUInt32BE(at + 8 + size), crc32(body));
    chunks[body.toString("latin1", 0, 4)] = body.subarray(4);
    at += 12 + size;
  }
  assert.deepEqual(Object.keys(chunks), ["IHDR", "IDAT", "IEND"]);
  assert.deepEqual([chunks.IHDR.readUInt32BE(0), chunks.IHDR.readUInt32BE(4)], [width, height]);
  const rows = inflateSync(chunks.IDAT);
  for (let y = 0; y < height; y++) {
    const start = y * (4 * width + 1);
    assert.equal(rows[start], 0, "no filter");
    const row = rows.subarray(start + 1, start + 1 + 4 * width);
    assert.deepEqual(
      Array.from(row),
      Array.from(rgba.subarray(4 * width * y, 4 * width * (y + 1))),
    );
  }
});

test("base64 of more bytes than a function takes arguments", () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
  assert.equal(base64(bytes), Buffer.from(bytes).toString("base64"));
});
