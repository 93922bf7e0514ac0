// Counts what this page, worker or service worker sends: the bodies of its
// requests, beacons, what goes through sockets, and what addresses carry after
// their question mark. It must run before any other script. What it could not
// count it takes away. duetMeter.onchange is told when the figures change.
'use strict';
(() => {
  const meter = { sent: 0, elsewhere: 0, files: 0, fetched: 0, onchange: null };
  globalThis.duetMeter = meter;
  const text = new TextEncoder();
  const changed = () => { meter.onchange?.(meter); };
  const add = (bytes) => {
    if (!(bytes > 0)) return;
    meter.sent += bytes;
    changed();
  };

  // sizeOf is how many bytes a body takes; a form's boundaries are left out.
  const sizeOf = (body) => {
    if (body === null || body === undefined) return 0;
    if (body instanceof Blob) return body.size;
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
    if (body instanceof FormData) {
      let sum = 0;
      for (const [name, value] of body) sum += text.encode(name).length + sizeOf(value);
      return sum;
    }
    return text.encode(String(body)).length;
  };

  // through counts a body that is a stream as it goes.
  const through = (stream) => stream.pipeThrough(new TransformStream({
    transform(chunk, controller) {
      add(sizeOf(chunk));
      controller.enqueue(chunk);
    },
  }));

  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    let how = init;
    if (init?.body instanceof ReadableStream) how = { ...init, body: through(init.body) };
    else if (init?.body !== undefined && init.body !== null) add(sizeOf(init.body));
    else if (input instanceof Request && !['GET', 'HEAD'].includes(input.method) && !input.bodyUsed) {
      input.clone().arrayBuffer().then((body) => add(body.byteLength), () => {});
    }
    return fetch(input, how);
  };

  // before has add told of the argument at before a method is called.
  const before = (type, name, at) => {
    const method = globalThis[type]?.prototype[name];
    if (!method) return;
    globalThis[type].prototype[name] = function counted(...args) {
      add(sizeOf(args[at]));
      return method.apply(this, args);
    };
  };
  before('XMLHttpRequest', 'send', 0);
  before('Navigator', 'sendBeacon', 1);
  before('WebSocket', 'send', 0);
  for (const type of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport', 'WebSocketStream']) delete globalThis[type];

  if (globalThis.PerformanceObserver?.supportedEntryTypes?.includes('resource')) {
    new PerformanceObserver((list) => {
      for (const { name, transferSize } of list.getEntries()) {
        const url = new URL(name, location.href);
        if (!/^(https?|wss?):$/.test(url.protocol)) continue; // what the page holds itself
        add(text.encode(url.search).length - 1);
        if (url.host !== location.host) meter.elsewhere++;
        else if (transferSize > 0) {
          meter.files++;
          meter.fetched += transferSize;
        }
      }
      changed();
    }).observe({ type: 'resource', buffered: true });
  }
})();
