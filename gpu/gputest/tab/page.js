// Starts the worker; runTests resolves with what it posts.
'use strict';
window.runTests = (args, env) => new Promise((resolve) => {
  const worker = new Worker('worker.js');
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => resolve({ output: event.message, code: -1 });
  worker.postMessage({ args, env });
});
