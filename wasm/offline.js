// Has the service worker (sw.js) keep the app for times without a network, and
// tells when a new version of it is there. Where there are no service workers,
// such as in some private windows, the app works as well, with a network.

const hour = 3_600_000;
const workers = navigator.serviceWorker;

// keepOffline begins; onNew is called when a new version is ready to be used.
export async function keepOffline(onNew) {
  let registration;
  try {
    registration = await workers.register('sw.js', { updateViaCache: 'none' });
  } catch {
    return;
  }
  const watch = (worker) => {
    const look = () => { if (worker.state === 'installed' && workers.controller) onNew(); };
    worker?.addEventListener('statechange', look);
    if (worker) look();
  };
  watch(registration.waiting ?? registration.installing);
  registration.addEventListener('updatefound', () => watch(registration.installing));

  let asked = Date.now();
  window.addEventListener('focus', () => {
    if (Date.now() - asked < hour) return;
    asked = Date.now();
    registration.update().catch(() => {}); // there is no network
  });
}

// takeNew loads the page anew with the new version. It resolves with false where
// other tabs still use the old one.
export async function takeNew() {
  const waiting = (await workers?.getRegistration())?.waiting;
  if (!waiting) {
    location.reload();
    return true;
  }
  return new Promise((resolve) => {
    workers.addEventListener('controllerchange', () => { location.reload(); resolve(true); }, { once: true });
    workers.addEventListener('message', ({ data }) => { if (data.held) resolve(false); });
    workers.startMessages();
    waiting.postMessage('take');
  });
}
