// Runs a Go test binary in a worker and posts its output and exit code.
'use strict';
importScripts('wasm_exec.js', 'replay.js');
onmessage = async ({ data }) => {
  let output = '';
  const decoder = new TextDecoder();
  globalThis.fs.writeSync = (_, bytes) => {
    output += decoder.decode(bytes, { stream: true });
    return bytes.length;
  };
  const go = new Go();
  go.argv = ['test', ...data.args];
  go.env = data.env;
  let code = -1;
  go.exit = (c) => { code = c; };
  try {
    const { instance } = await WebAssembly.instantiateStreaming(fetch('test.wasm'), go.importObject);
    await go.run(instance);
  } catch (error) {
    output += String(error);
  }
  postMessage({ output, code });
};
