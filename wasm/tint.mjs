// Compiles WGSL with Tint, the compiler of Chromium, on Dawn's null backend: no
// GPU is touched. Reads [{"name", "source"}, ...] from standard input, creates
// a compute pipeline of each source under WebGPU's default limits, and prints
// one line a message: NAME:LINE:COLUMN: SEVERITY: TEXT. Exits 1 after an error.
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);

async function readInput() {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}

// check returns the messages of one shader, as {type, message, lineNum, linePos}.
async function check(device, { source }) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code: source });
  const { messages } = await module.getCompilationInfo();
  const invalid = await device.popErrorScope();
  if (messages.some((m) => m.type === 'error')) return messages;
  if (invalid) return [...messages, { type: 'error', message: invalid.message, lineNum: 0, linePos: 0 }];

  // Entry point, workgroup size and memory, and bindings are held against the
  // limits only when a pipeline is made.
  device.pushErrorScope('validation');
  device.createComputePipeline({ layout: 'auto', compute: { module } });
  const refused = await device.popErrorScope();
  if (!refused) return messages;
  return [...messages, { type: 'error', message: refused.message, lineNum: 0, linePos: 0 }];
}

const gpu = create(['backend=null']);
const adapter = await gpu.requestAdapter();
const device = await adapter.requestDevice(); // no requiredLimits: the defaults
let errors = 0;
for (const shader of await readInput()) {
  for (const m of await check(device, shader)) {
    if (m.type === 'error') errors++;
    console.log(`${shader.name}:${m.lineNum}:${m.linePos}: ${m.type}: ${m.message.trim()}`);
  }
}
device.destroy();
process.exitCode = errors > 0 ? 1 : 0;
