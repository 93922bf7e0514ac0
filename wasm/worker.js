// The dedicated worker that the engine runs in, so that the page stays free.
// Where it was given a name it holds the lock of that name while it lives and
// posts {lock: name}. It posts {loaded: bytes} while main.wasm arrives, {meter:
// figures} of what is sent (meter.js) and {ended: message} when the engine could
// not start or ended; everything else the engine says itself (cmd/duet/main_js.go),
// to the messages that duet.js sends.
'use strict';
importScripts('meter.js');
duetMeter.onchange = ({ sent, elsewhere, files, fetched }) => postMessage({ meter: { sent, elsewhere, files, fetched } });

const arriving = fetch('main.wasm');
const model = fetch('default-model.zip').then((r) => (r.ok ? r.blob() : null)).catch(() => null);
arriving.catch(() => {}); // told below

importScripts('wasm_exec.js', 'replay.js');

// counted passes a response on and tells how much of it has arrived.
function counted(response) {
  let loaded = 0;
  let told = 0;
  const count = new TransformStream({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      if (loaded - told > 500_000) {
        told = loaded;
        postMessage({ loaded });
      }
      controller.enqueue(chunk);
    },
    flush() { postMessage({ loaded }); },
  });
  return new Response(response.body.pipeThrough(count), { headers: { 'Content-Type': 'application/wasm' } });
}

if (self.name && navigator.locks) {
  navigator.locks.request(self.name, () => {
    postMessage({ lock: self.name });
    return new Promise(() => {});
  });
}

(async () => {
  try {
    const response = await arriving;
    if (!response.ok) throw new Error(`main.wasm: the server answers ${response.status}`);
    const go = new Go();
    const { instance } = await WebAssembly.instantiateStreaming(counted(response), go.importObject);
    globalThis.duetModel = await model; // app/default_js.go says what is wrong where there is none
    let code = 0;
    go.exit = (c) => { code = c; };
    await go.run(instance);
    postMessage({ ended: `the engine ended with code ${code}; the browser's console says why` });
  } catch (error) {
    postMessage({ ended: `the engine could not start: ${error.message ?? error}` });
  }
})();
