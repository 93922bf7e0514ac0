// SHA-256 of a stream (FIPS 180-4): the browser's own digests only what is whole
// in memory. const sum = new Sha256(); sum.add(bytes); sum.hex()
'use strict';
(() => {
  // The first 32 bits of the fractional parts of roots of the first 64 primes.
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
  const H = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

  globalThis.Sha256 = class Sha256 {
    #h = H.slice();
    #w = new Int32Array(64);
    #rest = new Uint8Array(64); // what did not fill a block
    #filled = 0;
    #length = 0;

    add(bytes) {
      this.#length += bytes.length;
      let at = 0;
      if (this.#filled > 0) {
        at = Math.min(64 - this.#filled, bytes.length);
        this.#rest.set(bytes.subarray(0, at), this.#filled);
        this.#filled += at;
        if (this.#filled < 64) return this;
        this.#blocks(this.#rest, 0, 64);
        this.#filled = 0;
      }
      const whole = at + ((bytes.length - at) & ~63);
      this.#blocks(bytes, at, whole);
      this.#rest.set(bytes.subarray(whole));
      this.#filled = bytes.length - whole;
      return this;
    }

    #blocks(bytes, from, to) {
      const w = this.#w;
      const h = this.#h;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = from; at < to; at += 64) {
        for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
        for (let i = 16; i < 64; i++) {
          const x = w[i - 15];
          const y = w[i - 2];
          const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
          const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
          w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
        }
        let a = h[0];
        let b = h[1];
        let c = h[2];
        let d = h[3];
        let e = h[4];
        let f = h[5];
        let g = h[6];
        let k = h[7];
        for (let i = 0; i < 64; i++) {
          const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
          const t1 = (k + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
          const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
          const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
          k = g; g = f; f = e; e = (d + t1) | 0;
          d = c; c = b; b = a; a = (t1 + t2) | 0;
        }
        h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
      }
    }

    // hex ends the sum.
    hex() {
      const bits = this.#length * 8;
      const end = new Uint8Array(this.#filled < 56 ? 64 - this.#filled : 128 - this.#filled);
      end[0] = 0x80;
      const view = new DataView(end.buffer);
      view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
      view.setUint32(end.length - 4, bits >>> 0);
      this.add(end);
      return [...this.#h].map((x) => (x >>> 0).toString(16).padStart(8, '0')).join('');
    }
  };
})();
