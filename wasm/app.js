// The app's page: starts the engine's worker (duet.js) and the app itself
// (tab.wasm, which draws on the canvas), and passes on what is dropped, pasted
// and chosen.
import duet, { dropped } from './duet.js';
import { store } from './store.js';
import { hub } from './hub.js';
import * as loading from './loading.js';
import { keepOffline, takeNew } from './offline.js';
import './mirror.js';
import { take } from './camera.js';

globalThis.duet = duet;
globalThis.duetStore = store;
globalThis.duetHub = hub;
globalThis.duetDress = loading.dress;
store.empty().catch(() => {}); // where there is no store, keeping a model says so

const early = []; // given before the app runs
const give = (files) => {
  if (files.length === 0) return;
  if (globalThis.duetDropped) globalThis.duetDropped(files);
  else early.push(...files);
};
const plain = (list) => [...list].map((f) => ({ path: f.webkitRelativePath || f.name, blob: f }));

window.addEventListener('dragover', (event) => event.preventDefault());
window.addEventListener('drop', async (event) => {
  event.preventDefault();
  const text = event.dataTransfer.getData('text/plain');
  const files = [...event.dataTransfer.files];
  if (files.length === 0) {
    if (text) globalThis.duetDroppedText?.(text);
    return;
  }
  try {
    const list = await dropped(event.dataTransfer);
    give(list.length > 0 ? list : plain(files));
  } catch (error) {
    globalThis.duetFailed?.(error);
  }
});

// Gio reads the clipboard by a call that asks for permission; what is pasted
// comes with the event anyway.
let pasted = '';
if (navigator.clipboard) navigator.clipboard.readText = async () => pasted;
window.addEventListener('paste', (event) => {
  pasted = event.clipboardData.getData('text/plain');
  const files = [...event.clipboardData.files];
  if (files.length === 0) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  give(files.map((f, i) => ({ path: f.name || `pasted ${i + 1}.png`, blob: f })));
}, true);

window.addEventListener('beforeunload', (event) => { if (globalThis.duetBusy) event.preventDefault(); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => globalThis.duetRedraw?.());
window.addEventListener('languagechange', () => globalThis.duetRedraw?.());

globalThis.duetPrefs = () => {
  try { return localStorage.getItem('duet-settings'); } catch { return null; }
};
globalThis.duetKeepPrefs = (text) => {
  try { localStorage.setItem('duet-settings', text); } catch { /* they last as long as the page */ }
};

// duetChinese gives the fonts for Chinese, [regular, semi-bold]. Where the app
// will begin in Chinese they are fetched beside the program.
const chinese = () => Promise.all(['regular', 'semibold'].map(async (weight) => {
  const name = `noto-sans-sc-${weight}.ttf`;
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: the server answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}));
let language = navigator.language;
try { language = JSON.parse(globalThis.duetPrefs()).language ?? language; } catch { /* there are no settings */ }
let fetched = null;
if (language.startsWith('zh')) {
  fetched = chinese();
  fetched.catch(() => {}); // told to whom asks
}
globalThis.duetChinese = () => fetched ?? chinese();

// duetChoose opens the browser's dialog: 0 for pictures, 1 for a folder, 2 for a
// model, 3 for the camera.
globalThis.duetChoose = (what) => {
  if (what === 3) {
    const name = `camera ${new Date().toLocaleTimeString('sv').replaceAll(':', '-')}.jpg`;
    take().then((blob) => give(blob ? [{ path: name, blob }] : []), (error) => globalThis.duetFailed?.(error));
    return;
  }
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = what !== 2;
  input.webkitdirectory = what === 1;
  input.accept = what === 0 ? 'image/*,.txt' : what === 2 ? '.zip' : '';
  input.addEventListener('change', () => give(plain(input.files)));
  input.click();
};

globalThis.duetSave = (name, blob) => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

// duetThumbnail gives the pixels of a picture, upright, not larger than side.
globalThis.duetThumbnail = async (blob, side) => {
  const whole = await createImageBitmap(blob);
  const scale = Math.min(1, side / Math.max(whole.width, whole.height));
  const width = Math.max(1, Math.round(whole.width * scale));
  const height = Math.max(1, Math.round(whole.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(whole, 0, 0, width, height);
  whole.close();
  return { width, height, pixels: new Uint8Array(context.getImageData(0, 0, width, height).data.buffer) };
};

// keyboard keeps the keys with the app: Gio takes them from a field of its own,
// which it leaves when the keyboard moves to a button.
function keyboard() {
  const area = document.querySelector('#giowindow textarea');
  if (!area) {
    setTimeout(keyboard, 100);
    return;
  }
  if (matchMedia('(pointer: coarse)').matches) return; // it would open the keyboard of a phone
  area.blur = () => {};
  const take = () => { if (!document.querySelector('dialog[open]')) area.focus(); };
  take();
  // A click on the canvas would take the keys to the page, and so does what comes
  // back from a dialog.
  document.querySelector('#giowindow canvas').addEventListener('mousedown', (event) => {
    event.preventDefault();
    take();
  });
  window.addEventListener('focus', take);
}

// What is sent (meter.js): by this page, by the engine's worker, by those that
// fetch towers and by the service worker, which tell.
let traffic = 0;
const others = { sent: 0, elsewhere: 0, files: 0, fetched: 0 };
const worker = { sent: 0, elsewhere: 0, files: 0, fetched: 0 };
globalThis.duetTraffic = () => Object.fromEntries(Object.keys(worker).map((k) => [k, globalThis.duetMeter[k] + worker[k] + others[k]]));
const tellTraffic = () => { // not for each of many
  traffic ||= setTimeout(() => { traffic = 0; globalThis.duetSawTraffic?.(); }, 250);
};
globalThis.duetMeter.onchange = tellTraffic;
window.addEventListener('duet-meter', ({ detail }) => { Object.assign(worker, detail); tellTraffic(); });
window.addEventListener('duet-hub-meter', ({ detail }) => {
  for (const [key, more] of Object.entries(detail)) others[key] += more;
  tellTraffic();
});
navigator.serviceWorker?.addEventListener('message', ({ data }) => {
  if (!data.sent) return;
  others.sent += data.sent;
  tellTraffic();
});
navigator.serviceWorker?.startMessages();

globalThis.duetTakeNew = takeNew;
// The files are kept some seconds after the engine has started, or could not: not
// while they are fetched for the first time, nor beside the first answer.
duet.ready.catch(() => {}).then(() => setTimeout(() => keepOffline(() => {
  globalThis.duetNew = true;
  globalThis.duetNewVersion?.();
}), 8000));

// counted passes a response on and shows how much of it has arrived.
function counted(response) {
  let bytes = 0;
  const count = new TransformStream({
    transform(chunk, controller) {
      loading.progress('tab.wasm', bytes += chunk.byteLength);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(count), { headers: { 'Content-Type': 'application/wasm' } });
}
window.addEventListener('duet-loading', ({ detail }) => loading.progress('main.wasm', detail));

globalThis.duetFirstFrame = () => {
  performance.mark('duet-first-frame');
  loading.done();
  keyboard();
  give(early.splice(0));
};

async function start() {
  const canvas = document.createElement('canvas');
  if (!canvas.getContext('webgl2') && !canvas.getContext('webgl')) {
    loading.fail('webgl');
    return;
  }
  let instance;
  const go = new globalThis.Go();
  try {
    const response = await fetch('tab.wasm');
    if (!response.ok) throw new Error(`tab.wasm: ${response.status}`);
    ({ instance } = await WebAssembly.instantiateStreaming(counted(response), go.importObject));
  } catch (error) {
    loading.fail('failed', error);
    return;
  }
  let code = 0;
  go.exit = (c) => { code = c; };
  await go.run(instance).catch((error) => { code = error; });
  loading.fail('ended', code);
}

start();
