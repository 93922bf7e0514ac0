// What the page shows until the app has drawn its first frame, and where it
// cannot: in the language and the colours that the app will have.

const texts = {
  en: {
    loading: 'Duet is loading…',
    of: (loaded, all) => `${loaded} of ${all} MB`,
    webgl: 'This browser draws no WebGL, which the app is drawn with. Switch on hardware acceleration in the browser’s settings, or use the plain page, which works without.',
    plain: 'Open the plain page',
    failed: 'Duet could not be loaded. Look whether the network is there, then reload the page.',
    ended: 'Duet has stopped because of an error. Reload the page to go on; models that were kept are still there.',
    reload: 'Reload',
  },
  zh: {
    loading: 'Duet 正在加载…',
    of: (loaded, all) => `${loaded} / ${all} MB`,
    webgl: '此浏览器无法使用 WebGL，而应用界面需要它来绘制。请在浏览器设置中开启硬件加速，或者使用不需要 WebGL 的简易页面。',
    plain: '打开简易页面',
    failed: 'Duet 未能加载。请检查网络连接，然后重新加载页面。',
    ended: 'Duet 因出错而停止。重新加载页面即可继续，已保存的模型不会丢失。',
    reload: '重新加载',
  },
};

let settings = {};
try {
  settings = JSON.parse(localStorage.getItem('duet-settings')) ?? {};
} catch { /* those of the system */ }
const language = (settings.language || navigator.language).toLowerCase().startsWith('zh') ? 'zh' : 'en';
const text = texts[language];
const $ = (id) => document.getElementById(id);

// dress gives the page the language and the theme of the app.
export function dress(lang, dark) {
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : lang;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  document.querySelector('meta[name=theme-color]').content = dark ? '#14171c' : '#f4f5f7';
}

dress(language, settings.theme ? settings.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches);
$('loading-says').textContent = text.loading;

// What has arrived of the files that the app starts from.
const arrived = {};
const sizes = globalThis.duetFiles?.files ?? {};
const MB = (bytes) => (bytes / 1e6).toFixed(1);

// progress shows that so much of a file has arrived.
export function progress(name, bytes) {
  arrived[name] = bytes;
  const all = ['tab.wasm', 'main.wasm'].reduce((sum, f) => sum + (sizes[f]?.bytes ?? 0), 0);
  const loaded = Object.values(arrived).reduce((sum, n) => sum + n, 0);
  if (all === 0) return;
  $('loading-bar').value = loaded / all;
  $('loading-detail').textContent = text.of(MB(loaded), MB(all));
}

export function done() { $('loading').hidden = true; }

// fail says why there is no app: what is 'webgl', 'failed' or 'ended'.
export function fail(what, error) {
  const link = document.createElement('a');
  [link.textContent, link.href] = what === 'webgl' ? [text.plain, 'bare.html'] : [text.reload, ''];
  const detail = document.createElement('p');
  detail.textContent = what === 'webgl' ? '' : error?.message ?? String(error);
  const says = document.createElement('p');
  says.textContent = text[what];
  const box = $('loading');
  box.hidden = false;
  box.dataset.problem = what;
  box.setAttribute('role', 'alert');
  box.replaceChildren(says, detail, link);
}
