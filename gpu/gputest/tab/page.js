// start runs the program in a worker; read resolves with what the worker has
// posted since the last call, once there is something, and what follows at once:
// each call from outside the browser takes time from the program.
'use strict';
const messages = [];
let arrived = () => {};
const take = (message) => {
  messages.push(message);
  arrived();
};
window.start = (args, env) => {
  const worker = new Worker('worker.js');
  worker.onmessage = ({ data }) => take(data);
  worker.onerror = (event) => take({ failure: event.message || 'the worker could not be loaded' });
  worker.postMessage({ args, env });
};
window.read = async () => {
  if (messages.length === 0) await new Promise((resolve) => { arrived = resolve; });
  await new Promise((resolve) => { setTimeout(resolve, 100); });
  return messages.splice(0);
};
