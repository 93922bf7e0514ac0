// Runs ONNX models in ONNX Runtime on the CPU. Reads [{"path", "runs": [{NAME:
// {"type", "dims", "data"}, ...}, ...]}, ...] from standard input, data as
// base64, little endian, and prints one JSON array with, for each model,
// {"inputs": [NAME, ...], "runs": [{NAME: {"dims", "data"}, ...}, ...]}.
import ort from 'onnxruntime-node';

const arrays = { float32: Float32Array, int64: BigInt64Array };

async function readInput() {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return JSON.parse(text);
}

function tensor({ type, dims, data }) {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64')); // a copy, aligned
  return new ort.Tensor(type, new arrays[type](bytes.buffer), dims);
}

const results = [];
for (const model of await readInput()) {
  const session = await ort.InferenceSession.create(model.path, { executionProviders: ['cpu'] });
  const result = { inputs: session.inputNames, runs: [] };
  for (const run of model.runs) {
    const feeds = Object.fromEntries(Object.entries(run).map(([name, t]) => [name, tensor(t)]));
    const outputs = await session.run(feeds);
    result.runs.push(Object.fromEntries(Object.entries(outputs).map(([name, { dims, data }]) =>
      [name, { dims, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') }])));
  }
  await session.release();
  results.push(result);
}
process.stdout.write(JSON.stringify(results));
