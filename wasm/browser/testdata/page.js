'use strict';
// double sends numbers through a WebGPU compute shader in a dedicated worker.
window.double = (numbers) => new Promise((resolve, reject) => {
  const worker = new Worker('worker.js');
  worker.onmessage = ({ data }) => {
    worker.terminate();
    data.error ? reject(new Error(data.error)) : resolve(data);
  };
  worker.postMessage(numbers);
});

window.startBrokenWorker = () => { new Worker('broken.js'); };

window.dropped = null;
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', async (event) => {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
  const files = [...event.dataTransfer.files];
  const texts = await Promise.all(files.map((file, i) => (entries[i].isFile ? file.text() : '')));
  const inside = await Promise.all(entries.map((entry) => (entry.isFile ? [] :
    new Promise((resolve, reject) => entry.createReader().readEntries((list) => resolve(list.map((e) => e.name)), reject)))));
  window.dropped = entries.map((entry, i) => ({
    on: event.target.id, trusted: event.isTrusted, name: entry.name, folder: entry.isDirectory, text: texts[i], inside: inside[i],
  }));
});
