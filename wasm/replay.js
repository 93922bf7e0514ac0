// Replays dispatches from, …, to-1 of a compiled program in one compute pass and
// submits it. Package gpu calls this once per submit: a call from Go costs about
// as much as five dispatches encoded here. list holds five integers a dispatch:
// indexes of the pipeline and the bind group, and the workgroups in x, y and z.
"use strict";
globalThis.duetReplay = (device, pipelines, bindGroups, list, from, to) => {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  let current = -1;
  for (let i = 5 * from; i < 5 * to; i += 5) {
    if (list[i] !== current) {
      current = list[i];
      pass.setPipeline(pipelines[current]);
    }
    pass.setBindGroup(0, bindGroups[list[i + 1]]);
    pass.dispatchWorkgroups(list[i + 2], list[i + 3], list[i + 4]);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
};
