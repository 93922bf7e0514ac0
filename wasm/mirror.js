// The page's elements for what the app draws on its canvas, which screen readers
// and other tools cannot see: duetMirror is given all of it as JSON (app/view's
// Mirror) whenever it changes. Elements lie where things are drawn, but take no
// pointer: a click on one, as tools make it, goes to the canvas.

const canvas = () => document.querySelector('#giowindow canvas');
const keys = () => document.querySelector('#giowindow textarea');

const tree = document.createElement('div');
tree.id = 'mirror';
tree.setAttribute('role', 'group');
const status = document.createElement('div');
status.className = 'told';
status.setAttribute('role', 'status');
const alert = document.createElement('div');
alert.className = 'told';
alert.setAttribute('role', 'alert');
document.body.append(tree, status, alert);

// press clicks the canvas in the middle of an element.
function press(element) {
  const box = element.getBoundingClientRect();
  const at = { bubbles: true, button: 0, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
  canvas().dispatchEvent(new MouseEvent('mousemove', { ...at, buttons: 0 }));
  canvas().dispatchEvent(new MouseEvent('mousedown', { ...at, buttons: 1 }));
  canvas().dispatchEvent(new MouseEvent('mouseup', { ...at, buttons: 0 }));
}
tree.addEventListener('click', (event) => {
  if (event.target !== tree) press(event.target);
});

const elements = new Map(); // by key: role, name and how many of them came before
let last = 0;

// set changes an attribute; null takes it away.
function set(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(element, node) {
  const { X, Y, Width, Height } = node.Bounds;
  const style = `left:${X}px;top:${Y}px;width:${Width}px;height:${Height}px`;
  if (element.dataset.at !== style) {
    element.dataset.at = style;
    element.style.cssText = style;
  }
  const chosen = node.Selected ? 'true' : 'false';
  switch (node.Role) {
    case 'text':
      say(element, node.Name);
      break;
    case 'heading':
      set(element, 'aria-level', '2');
      say(element, node.Name);
      break;
    case 'textbox':
      set(element, 'aria-label', node.Name);
      say(element, node.Value);
      break;
    case 'img':
      set(element, 'aria-label', node.Name);
      break;
    case 'radio':
      set(element, 'aria-checked', chosen);
      say(element, node.Name);
      break;
    default:
      set(element, 'aria-current', node.Selected ? 'true' : null);
      say(element, node.Name);
  }
  set(element, 'aria-disabled', node.Disabled ? 'true' : null);
}

globalThis.duetMirror = (text) => {
  const mirror = JSON.parse(text);
  const nodes = mirror.Nodes ?? [];
  const seen = new Map();
  const order = [];
  let focused = null;
  for (const node of nodes) {
    const name = `${node.Role} ${node.Name}`;
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    const key = `${n} ${name}`;
    let element = elements.get(key);
    if (!element) {
      element = document.createElement('div');
      element.id = `mirror-${++last}`;
      element.dataset.key = key;
      if (node.Role !== 'text') element.setAttribute('role', node.Role);
      elements.set(key, element);
    }
    show(element, node);
    order.push(element);
    if (node.Focused) focused = { element, node };
  }
  const kept = new Set(order);
  for (const [key, element] of elements) {
    if (!kept.has(element)) {
      element.remove();
      elements.delete(key);
    }
  }
  order.forEach((element, i) => { // in reading order, moving as few as can be
    if (tree.children[i] !== element) tree.insertBefore(element, tree.children[i] ?? null);
  });
  // The keys go to Gio's own field, which stands for what has the keyboard.
  const area = keys();
  if (area) {
    const typing = focused?.node.Role === 'textbox';
    set(area, 'role', typing ? null : 'application');
    set(area, 'aria-label', typing ? `${focused.node.Name}: ${focused.node.Value}` : 'Duet');
    set(area, 'aria-owns', 'mirror');
    set(area, 'aria-activedescendant', focused && !typing ? focused.element.id : null);
  }
  say(status, mirror.Alert ? '' : mirror.Status);
  say(alert, mirror.Alert ? mirror.Status : '');
};
