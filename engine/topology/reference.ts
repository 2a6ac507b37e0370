import { commonKeys, type LayerRules } from './layer-rules.js';
import { layerKinds } from './layer-table.js';
import type { Rule, Rules } from './rules.js';
import { activationNames, initializerTable } from './value-rules.js';

/** The page of layers and their keys (docs/layers.md), as Markdown. */
export function layerReference(): string {
  const kinds = Object.entries(layerKinds).flatMap(([kind, rules]) => [
    `## ${title(kind)}`,
    ...Object.entries(rules).map(([className, given]) => layerText(className, given)),
  ]);
  return [intro, commonKeyList(), ...kinds, activations, initializers()].join('\n\n');
}

const intro = `# Layers and their keys

What a model file may say of each layer, and what is computed. Every key of a layer is one of these:

- **read**: its value decides what is computed;
- **fixed**: only the value that is computed with is accepted;
- **neutral**: it says nothing about what is computed, such as \`unroll\`.

Any other key, class, argument of a call or value is refused where the job is submitted, with layer, key, value and remedy. Keys and words may also be in camel case, as in TF.js (\`kernelSize\`, \`channelsLast\`). A key with an asterisk must be there.

This page is written by \`npm run layers\` from the table that models are checked against (\`engine/topology/\`, \`test/engine/topology/reference.test.ts\`).`;

const titles: Readonly<Partial<Record<string, string>>> = { activations: 'Activation layers', other: 'Others' };

function title(kind: string): string {
  return titles[kind] ?? kind[0]!.toUpperCase() + kind.slice(1);
}

function commonKeyList(): string {
  return `## Every layer\n\n${list(commonKeys, () => true)}\n\nRegularizers and constraints of weights, such as \`kernel_regularizer\`, must be null: use the optimizer's \`weightDecay\`.`;
}

function layerText(className: string, { keys }: LayerRules): string {
  return [`### ${className}`, list(keys, (key, rule) => rule !== commonKeys[key])]
    .filter((text) => text !== '')
    .join('\n\n');
}

/** Keys by use, a line each; those that every weight has are left out. */
function list(keys: Rules, isShown: (key: string, rule: Rule) => boolean): string {
  const shown = Object.entries(keys).filter(([key, rule]) => isShown(key, rule) && !isWeightPenalty(key));
  const lines = (['read', 'fixed', 'neutral'] as const).flatMap((use) => {
    const texts = shown.filter(([, rule]) => rule.use === use).map(([key, rule]) => keyText(key, rule));
    return texts.length > 0 ? [`- ${use}: ${texts.join('; ')}`] : [];
  });
  return lines.length > 0 ? lines.join('\n') : 'No keys but those of every layer.';
}

function isWeightPenalty(key: string): boolean {
  return /_(regularizer|constraint)$/.test(key) && key !== 'activity_regularizer';
}

function keyText(key: string, { required, accepts, absent }: Rule): string {
  const value = absent === undefined ? '' : `, else ${JSON.stringify(absent)}`;
  return `\`${key}\`${required ? '\\*' : ''} ${accepts}${value}`;
}

const activations = `## Activations

By name, as \`activation\` and \`recurrent_activation\`: ${activationNames.join(', ')}. Null is linear. An activation with settings is a layer of its own.`;

function initializers(): string {
  const lines = Object.entries(initializerTable).map(([className, rules]) => {
    const settings = Object.entries(rules).map(([key, rule]) => keyText(key, rule));
    return `- ${className}${settings.length > 0 ? `: ${settings.join('; ')}` : ''}`;
  });
  return `## Initializers

By name or as an object. Each weight is drawn from the job's seed and the weight's name, so \`seed\` must be null. TF.js draws normal distributions truncated at two deviations without widening them, so \`GlorotNormal\`, \`HeNormal\` and \`LeCunNormal\` deviate by 0.88 of what they do in Keras. Left out, a kernel's initializer is \`GlorotNormal\`, as in TF.js; a Keras file always has it.

${lines.join('\n')}
`;
}
