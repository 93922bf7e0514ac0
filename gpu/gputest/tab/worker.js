// Runs a Go program in a worker. Posts {text, error} for each write, where error
// tells standard error from standard output, and at the end {code}, its exit
// code, or {failure}, why it could not run.
'use strict';
importScripts('wasm_exec.js', 'replay.js');
onmessage = async ({ data }) => {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  globalThis.fs.writeSync = (file, bytes) => {
    postMessage({ text: decoders[file].decode(bytes, { stream: true }), error: file === 2 });
    return bytes.length;
  };
  const go = new Go();
  go.argv = ['program', ...data.args];
  go.env = data.env ?? {};
  let code = -1;
  go.exit = (c) => { code = c; };
  try {
    const { instance } = await WebAssembly.instantiateStreaming(fetch('program.wasm'), go.importObject);
    await go.run(instance);
    postMessage({ code });
  } catch (error) {
    postMessage({ failure: String(error) });
  }
};
