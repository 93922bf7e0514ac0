// The page: shows the adapter, takes a picture and words, shows the answer,
// trains on a folder. The engine is behind duet.js.
import duet, { dropped } from './duet.js';

const $ = (id) => document.getElementById(id);

// Problems, by code: what they mean and what to do.
const problems = {
  insecure: ['This address is not secure enough', 'Browsers offer WebGPU, which Duet computes with, only over HTTPS or on localhost. Open this page by an https:// address, or on this machine as http://localhost.'],
  'no-webgpu': ['This browser has no WebGPU', 'Duet computes with WebGPU. Use a recent Chrome or Edge, or a recent Firefox or Safari where WebGPU is switched on.'],
  'no-adapter': ['There is no graphics adapter to use', 'The browser has WebGPU, but offers no adapter: the graphics driver may be missing, outdated or blocked. Switch on hardware acceleration in the browser’s settings, update the driver, or look at chrome://gpu.'],
  limit: ['The graphics adapter is too small', 'It offers less than Duet needs:'],
  device: ['The graphics adapter could not be opened', 'Closing other tabs or restarting the browser may help.'],
  lost: ['The graphics adapter went away', 'The driver was reset, perhaps because the machine slept or memory ran out. Reload the page to go on.'],
  'not-a-picture': ['This is not a picture that can be read', 'Choose a JPEG, PNG, GIF, BMP or WebP.'],
  'not-a-model': ['This is not a model that can be used', 'A model is a zip with config.json, model.safetensors and the tokenizer’s files.'],
  'no-model': ['There is no model yet', 'Train one below, or drop a model’s .zip.'],
  files: ['These files cannot be trained on', 'Give a folder per class, or pictures with a table of file_name, text and label.'],
  busy: ['A training is under way', 'Wait for its end or stop it.'],
  options: ['These settings do not go together', 'Change what is named below.'],
  failed: ['This could not be done', 'The reason is below; what was there before still is.'],
};
const quiet = new Set(['insecure', 'no-webgpu', 'no-adapter']); // the text above says it all

function node(tag, text, ...classes) {
  const element = document.createElement(tag);
  element.textContent = text;
  element.classList.add(...classes);
  return element;
}

// plain leaves out which part of the engine an error came from.
const plain = (message) => message.replace(/^((app|checkpoint|config|data|gpu|model|text|train): (opening a device: )?)+/, '');

function showProblem(error) {
  const [title, advice] = problems[error.code] ?? ['Something went wrong', 'Reload the page to start again.'];
  const box = node('div', '', 'problem');
  box.append(node('strong', title), node('p', advice));
  if (!quiet.has(error.code)) box.append(node('p', plain(error.message), 'detail'));
  box.dataset.code = error.code ?? 'failed';
  $('problem').replaceChildren(box);
}

const clearProblem = () => $('problem').replaceChildren();

const percent = (p) => `${(100 * p).toFixed(p >= 0.1 ? 0 : 1)} %`;

// What a class of adapter means for the user.
const speeds = {
  'discrete GPU': ', a graphics card.',
  'integrated GPU': ', the graphics of this machine’s processor.',
  'software (CPU)': ', in software: the processor does a graphics card’s work, slowly and with the same answers. The browser found no usable graphics driver, or its hardware acceleration is off.',
  unknown: '. The browser does not say what kind of adapter this is.',
};

function showInfo(info) {
  const [head, text] = $('adapter').children;
  head.textContent = `Runs on ${info.adapter}`;
  text.textContent = speeds[info.class] ?? `, ${info.class}.`;
  $('adapter').dataset.class = info.class;
  const m = info.model;
  $('model').hidden = false;
  if (!m) {
    $('model').textContent = 'The default model could not be loaded. Train one below, or drop a model’s .zip.';
  } else {
    const classes = m.classes.length > 12 ? `${m.classes.slice(0, 12).join(', ')} and ${m.classes.length - 12} more` : m.classes.join(', ');
    $('model').textContent = `Model: ${m.name}, ${m.classes.length} classes (${classes}).`;
  }
  $('save').disabled = !m;
  $('from-current').hidden = !m;
  if ($('start-from').selectedOptions[0].hidden) $('start-from').value = m ? 'current' : 'none';
  state.model = Boolean(m);
  refresh();
}

const state = { engine: false, model: false, picture: null, asking: false, again: false, files: null, training: false };

function refresh() {
  $('classify').disabled = !state.engine || !state.model || !state.picture || state.asking;
  $('train').disabled = !state.engine || !state.files || state.training;
  $('stop').disabled = !state.training;
  $('sample').disabled = !state.engine || state.training;
}

// Classifying

function take(file) {
  clearProblem();
  if (/\.zip$/i.test(file.name)) {
    load(file);
    return;
  }
  state.picture = file;
  URL.revokeObjectURL($('preview').src);
  $('preview').src = URL.createObjectURL(file);
  $('preview').alt = `The picture ${file.name}`;
  $('preview').hidden = false;
  $('invitation').hidden = true;
  ask();
}

async function ask() {
  if (!state.engine || !state.picture) return;
  if (state.asking) { // the answer on its way is for what was there before
    state.again = true;
    return;
  }
  state.asking = true;
  refresh();
  $('result').setAttribute('aria-busy', 'true');
  if (!$('answer').querySelector('.verdict')) $('answer').replaceChildren(node('p', 'Looking…', 'hint'));
  try {
    do {
      state.again = false;
      try {
        const answer = await duet.classify(state.picture, $('caption').value.trim());
        if (state.again) continue;
        showAnswer(answer);
        clearProblem();
      } catch (error) {
        if (state.again) continue; // what was dropped meanwhile has its own turn
        if (error.code === 'not-a-picture') forget();
        $('answer').replaceChildren(node('p', 'No answer.', 'hint'));
        showProblem(error);
      }
    } while (state.again);
  } finally {
    state.asking = false;
    $('result').removeAttribute('aria-busy');
    refresh();
  }
}

function forget() {
  state.picture = null;
  $('picture').value = ''; // so that the same file can be chosen again
  URL.revokeObjectURL($('preview').src);
  $('preview').removeAttribute('src');
  $('preview').hidden = true;
  $('invitation').hidden = false;
}

function showAnswer({ top, sure, file, caption }) {
  const verdict = node('p', '', 'verdict');
  verdict.append(node('strong', top[0].label), ` ${percent(top[0].p)}`);
  if (!sure) verdict.append(' ', node('span', 'not sure', 'unsure'));
  const list = node('ol', '', 'classes');
  for (const { label, p } of top) {
    const item = document.createElement('li');
    const bar = node('span', '', 'bar');
    bar.setAttribute('aria-hidden', 'true');
    const fill = node('span', '');
    fill.style.width = `${100 * p}%`;
    bar.append(fill);
    item.append(node('span', label, 'label'), bar, node('span', percent(p), 'p'));
    list.append(item);
  }
  $('answer').dataset.sure = sure;
  $('answer').replaceChildren(verdict, list, node('p', caption ? `${file} with “${caption}”` : `${file}, without words`, 'hint'));
  $('result').scrollIntoView({ block: 'nearest' });
}

async function load(file) {
  $('picture').value = ''; // so that the same file can be chosen again
  $('answer').replaceChildren(node('p', 'Loading the model…', 'hint'));
  try {
    showInfo(await duet.load(file));
    $('answer').replaceChildren(node('p', 'The model is loaded.', 'hint'));
    ask();
  } catch (error) {
    showProblem(error);
  }
}

$('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  ask();
});
$('caption').addEventListener('change', ask);
$('picture').addEventListener('change', () => {
  if ($('picture').files.length > 0) take($('picture').files[0]);
});

// target makes an element take what is dropped on it.
function target(element, onDrop) {
  const lit = (on) => element.classList.toggle('over', on);
  element.addEventListener('dragover', (event) => { event.preventDefault(); lit(true); });
  element.addEventListener('dragleave', () => lit(false));
  element.addEventListener('drop', (event) => {
    event.preventDefault();
    event.stopPropagation();
    lit(false);
    onDrop(event.dataTransfer);
  });
}

// A file dropped beside the target would replace the page.
for (const kind of ['dragover', 'drop']) window.addEventListener(kind, (event) => event.preventDefault());
target($('drop'), (transfer) => { if (transfer.files.length > 0) take(transfer.files[0]); });

// Training

function offer(files) {
  state.files = files.length > 0 ? files : null;
  const top = files.length > 0 ? (files[0].path ?? files[0].webkitRelativePath ?? files[0].name).split('/')[0] : '';
  $('folder-name').textContent = files.length > 0 ? `${top}: ${files.length} ${files.length === 1 ? 'file' : 'files'}` : 'Nothing was in it; choose another folder';
  refresh();
}

$('sample').addEventListener('click', async () => {
  clearProblem();
  $('sample').disabled = true;
  $('folder-name').textContent = 'Drawing…';
  try {
    offer(await duet.sample({ n: 2000, task: 'rule' }));
  } catch (error) {
    offer([]);
    showProblem(error);
  } finally {
    refresh();
  }
});
$('folder').addEventListener('change', () => offer([...$('folder').files]));
target($('folder-drop'), async (transfer) => {
  try {
    offer(await dropped(transfer));
  } catch (error) {
    showProblem({ code: 'files', message: error.message });
  }
});

// showTraining follows the events; the curve is redrawn at most four times a second.
function showTraining() {
  const losses = [];
  let drawn = 0;
  const says = $('training-says');
  const draw = (steps) => {
    const highest = Math.max(...losses, 1e-6);
    const stride = Math.ceil(losses.length / 400);
    const points = losses.filter((_, i) => i % stride === 0).map((l, i) => `${(100 * i * stride) / Math.max(steps - 1, 1)},${29 - (28 * l) / highest}`);
    $('curve').firstElementChild.setAttribute('points', points.join(' '));
    drawn = performance.now();
  };
  return (e) => {
    switch (e.event) {
      case 'collection':
        says.textContent = `${e.report.convention}: ${e.report.examples} examples, ${e.report.classes.length} classes. Compiling…`;
        break;
      case 'step':
        losses.push(e.loss);
        $('training-bar').max = e.steps;
        if (performance.now() - drawn > 250 || e.step === e.steps) {
          $('training-bar').value = e.step;
          says.textContent = `Step ${e.step} of ${e.steps}, loss ${e.loss.toFixed(3)}, ${e.examples_per_s.toFixed(0)} examples a second`;
          draw(e.steps);
        }
        break;
      case 'epoch':
        says.textContent = `Epoch ${e.epoch}: ${percent(e.val_top1)} of the pictures held back are right`;
        break;
      case 'done':
        says.textContent = e.stopped ? `Stopped after ${e.step} steps; what was learnt is in use.` : `Done: ${percent(e.val_top1)} of the pictures held back are right. The model is in use.`;
        break;
    }
  };
}

$('teach').addEventListener('submit', async (event) => {
  event.preventDefault();
  clearProblem();
  state.training = true;
  refresh();
  $('training-bar').hidden = false;
  $('training-bar').value = 0;
  $('curve').removeAttribute('hidden');
  try {
    await duet.train(state.files, { init: $('start-from').value, maxSteps: Number($('steps').value) }, showTraining());
    showInfo(await duet.info());
    ask();
  } catch (error) {
    $('training-says').textContent = error.code === 'stopped' ? 'Stopped before anything was learnt.' : '';
    if (error.code !== 'stopped') showProblem(error);
  } finally {
    state.training = false;
    $('training-bar').hidden = true;
    refresh();
  }
});
$('stop').addEventListener('click', () => {
  $('training-says').textContent = 'Stopping…';
  $('stop').disabled = true;
  duet.stop().catch(showProblem);
});
$('save').addEventListener('click', async () => {
  try {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await duet.export());
    link.download = 'duet-model.zip';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    showProblem(error);
  }
});

// Starting

window.addEventListener('duet-loading', ({ detail }) => {
  $('adapter').children[1].textContent = ` The engine is loading: ${(detail / 1e6).toFixed(1)} MB so far.`;
});
duet.ready.then((info) => {
  state.engine = true;
  showInfo(info);
  ask();
}, (error) => {
  $('adapter').children[0].textContent = 'Not running.';
  $('adapter').children[1].textContent = '';
  showProblem(error);
});
