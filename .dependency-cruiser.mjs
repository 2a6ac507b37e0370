/** Borders between rooms and import cycles. Type-only imports count. See docs/architecture.md. */

/** Rooms that a room may import from, besides itself. */
const rooms = {
  util: [],
  job: ['util'],
  data: ['job', 'util'],
  engine: ['util'],
  proto: ['util'],
  transport: ['proto', 'job', 'util'],
  run: ['job', 'data', 'engine', 'util'],
  coordinator: ['proto', 'transport', 'job', 'data', 'engine', 'run', 'util'],
  worker: ['proto', 'transport', 'job', 'data', 'engine', 'util'],
  observe: ['coordinator/state', 'run', 'data', 'job', 'proto', 'transport', 'util'],
  nats: ['coordinator/state', 'coordinator/control', 'run', 'job', 'proto', 'transport', 'util'],
  operator: ['proto', 'transport', 'job', 'util'],
};

/** Rooms of the coordinator; each may import only from those after it. Files at its root are before the first. */
const coordinatorRooms = ['control', 'persistence', 'stepping', 'membership', 'state'];

const product = [...Object.keys(rooms), 'cli'].join('|');

const borders = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports-only`,
  comment: [room, ...allowed].join(', '),
  severity: 'error',
  from: { path: `^${room}/` },
  to: {
    path: `^(${product}|test|scripts)/`,
    pathNot: [room, ...allowed].map((other) => `^${other}/`).concat(room === 'job' ? '^engine/engine[.]ts$' : []),
  },
}));

const coordinatorBorders = coordinatorRooms.map((room, i) => ({
  name: `coordinator-${room}-imports-only`,
  comment: coordinatorRooms.slice(i).join(', '),
  severity: 'error',
  from: { path: `^coordinator/${room}/` },
  to: { path: '^coordinator/', pathNot: coordinatorRooms.slice(i).map((other) => `^coordinator/${other}/`) },
}));

export default {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    ...borders,
    ...coordinatorBorders,
    {
      name: 'job-imports-only-types-of-engine',
      severity: 'error',
      from: { path: '^job/' },
      to: { path: '^engine/engine[.]ts$', dependencyTypesNot: ['type-only'] },
    },
    { name: 'cli-imports-no-test', severity: 'error', from: { path: '^cli/' }, to: { path: '^(test|scripts)/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs'] },
  },
};
