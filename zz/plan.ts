import { loadTrainingModel } from '../engine/model/model.js';
import { traceTraining } from '../engine/trace/program.js';
import { compilePlan } from '../engine/native/compile.js';
import { builtinTopology } from '../job/models.js';
import * as O from '../engine/native/plan/opcodes.js';
const name = process.argv[2] ?? 'cnn3';
const topology = builtinTopology(name, [32, 32, 3], 10);
const spec = { topology, imageShape: [32, 32, 3], classes: 10, normalise: { mean: [0.49, 0.48, 0.44], deviation: [0.247, 0.243, 0.261] }, batch: Number(process.argv[3] ?? 49), mode: 'train' } as any;
const model = await loadTrainingModel(topology);
const program = traceTraining(model, spec);
const t = performance.now();
const { plan, constants } = compilePlan(program, spec);
console.log('compile', performance.now() - t, 'words', plan.length, 'constants', constants.length);
const names = Object.fromEntries(Object.entries(O.op).map(([k, v]) => [v, k]));
const ins = Object.fromEntries(Object.entries(O.instruction).map(([k, v]) => [v, k]));
const ad = (v: number) => v < 0 ? '-' : O.spaces[Math.floor(v / 2 ** 40)] + '+' + (v % 2 ** 40);
let i = 3; const sizes = O.spaces.map(() => plan[i++]!); console.log(O.spaces.map((s, k) => s + '=' + sizes[k]).join(' '));
const phases = plan[i++]!;
for (let p = 0; p < phases; p++) {
  const jobs = plan[i++]!;
  console.log('phase', p);
  for (let j = 0; j < jobs; j++) {
    const [items, chunk, n] = [plan[i++]!, plan[i++]!, plan[i++]!];
    console.log('  job items', items, 'chunk', chunk);
    for (let k = 0; k < n; k++) {
      const code = plan[i++]!; const count = plan[i++]!; const a = [...plan.subarray(i, i + count)]; i += count;
      if (code === 4) {
        const [, planes, cnt, no, ni, ns, nr] = a as number[]; let q = 7; const out = [];
        for (let z = 0; z < no!; z++, q += 4) out.push(`o${z}=${O && Object.keys(O.operandKind)[a[q]!]}:${ad(a[q + 1]!)}/${a[q + 2]}/${a[q + 3]}`);
        const src = (x: number) => x < no! ? `o${x}` : `r${x - no!}`;
        for (let z = 0; z < ni!; z++, q += 5) out.push(`r${a[q + 1]}=${ins[a[q]!]}(${src(a[q + 2]!)},${src(a[q + 3]!)})`);
        for (let z = 0; z < ns!; z++, q += 5) out.push(`${['store', 'sum4'][a[q]!]} ${src(a[q + 1]!)} -> ${ad(a[q + 2]!)}/${a[q + 3]}/${a[q + 4]}`);
        console.log(`    ew planes ${planes} count ${cnt} regs ${nr}: ${out.join('; ')}`);
      } else console.log('   ', names[code], a.slice(1).map((v) => v >= 2 ** 38 ? ad(v) : v).join(' '));
    }
  }
}
