import { describe, expect, it } from 'vitest';
import {
  chooseGpu,
  describeGpus,
  gpuEnvironment,
  parseInformation,
  parseSmi,
  visibleGpus,
} from '../../../cli/gpus/gpus.js';
import { informationOf } from './recorded.js';

const gpu = (device: string, name = 'NVIDIA H200') => ({ device, name });

describe("the driver's information on a GPU", () => {
  it.each(Object.entries(informationOf))('is read: %s', (name, { text, model }) => {
    expect(parseInformation(text), name).toBe(model);
  });

  it('is nothing without a model', () => expect(parseInformation('IRQ:\t\t 77\n')).toBeUndefined());
});

describe("nvidia-smi's output", () => {
  it.each([
    [
      'two cards',
      '0, NVIDIA TITAN V\n1, NVIDIA RTX 5880 Ada Generation\n',
      ['NVIDIA TITAN V', 'NVIDIA RTX 5880 Ada Generation'],
    ],
    ['line ends of Windows', '0, NVIDIA GeForce RTX 4090\r\n', ['NVIDIA GeForce RTX 4090']],
    ['a card lost', 'No devices were found\n', []],
    [
      'no driver',
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n\n",
      [],
    ],
    ['nothing', '', []],
  ])('is read: %s', (_, text, names) => expect(parseSmi(text)).toEqual(names));
});

describe('CUDA_VISIBLE_DEVICES', () => {
  const names = ['A100', 'A100', 'H200'];
  it.each([
    ['is not set', undefined, ['0', '1', '2']],
    ['is empty', '', []],
    ['names one', '2', ['2']],
    ['names them in another order', '2, 0', ['2', '0']],
    ['hides all', '-1', []],
    ['hides all in words', 'NoDevFiles', []],
    ['hides what follows', '1,-1,0', ['1']],
    ['names one that is not there', '0,3,1', ['0']],
    ['names by UUID', 'GPU-5b2cc2de-3b8e,GPU-8a', ['GPU-5b2cc2de-3b8e', 'GPU-8a']],
    ['names slices', 'MIG-c7384736-a75d-5afc-978f-d2f1294409fd', ['MIG-c7384736-a75d-5afc-978f-d2f1294409fd']],
  ])('%s', (_, setting, devices) => {
    expect(visibleGpus(names, setting).map(({ device }) => device)).toEqual(devices);
  });

  it("keeps the names of GPUs given by index, and doesn't mention GPUs if there are none", () => {
    expect(visibleGpus(names, '2,0')).toEqual([gpu('2', 'H200'), gpu('0', 'A100')]);
    expect(visibleGpus([], '0,1')).toEqual([]);
    expect(visibleGpus([], 'GPU-8a')).toEqual([]);
  });
});

describe('GPUs are dealt out', () => {
  const [a, b] = [gpu('0'), gpu('1')];
  it.each([
    ['the first to the first worker', [], a],
    ['the second to the second', [a], b],
    ['again, where there are more workers', [a, b], a],
    ['the one that a worker left', [b, a, a], b],
    ['not counting workers without', [undefined, undefined, a], b],
  ])('%s', (_, inUse, chosen) => expect(chooseGpu([a, b], inUse)).toBe(chosen));

  it('unless there are none', () => expect(chooseGpu([], [undefined])).toBeUndefined());

  it('by the bus, or by the names given in CUDA_VISIBLE_DEVICES', () => {
    expect(gpuEnvironment(b, {}, [])).toEqual({ CUDA_VISIBLE_DEVICES: '1', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' });
    expect(gpuEnvironment(b, { CUDA_VISIBLE_DEVICES: '0,1' }, [])).toEqual({ CUDA_VISIBLE_DEVICES: '1' });
  });

  it('with fetched libraries before those of the machine', () => {
    const path = (libraries: string[], own?: string) =>
      gpuEnvironment(a, own === undefined ? {} : { LD_LIBRARY_PATH: own }, libraries)['LD_LIBRARY_PATH'];
    expect(path(['/l/cublas/lib', '/l/cudnn/lib'])).toBe('/l/cublas/lib:/l/cudnn/lib');
    expect(path(['/l/cublas/lib'], '/usr/local/cuda/lib64')).toBe('/l/cublas/lib:/usr/local/cuda/lib64');
    expect(path([], '/usr/local/cuda/lib64')).toBe('/usr/local/cuda/lib64');
    expect(path([])).toBeUndefined();
  });

  it('and reported', () => {
    expect(describeGpus([a, b])).toBe('2 GPUs (NVIDIA H200)');
    expect(describeGpus([gpu('0', 'NVIDIA A100 80GB PCIe')])).toBe('1 GPU (NVIDIA A100 80GB PCIe)');
  });
});
