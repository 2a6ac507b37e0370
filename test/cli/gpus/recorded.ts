/** `/proc/driver/nvidia/gpus/*\/information` as posted by users, and the model in it. */
export const informationOf: Readonly<Record<string, { readonly text: string; readonly model: string | undefined }>> = {
  'an RTX 3090': {
    text: [
      'Model: \t\t NVIDIA GeForce RTX 3090',
      'IRQ:   \t\t 77',
      'GPU UUID: \t GPU-eaf23aa1-4d3d-596c-da66-b86b0e5db584',
      'Video BIOS: \t 94.02.26.40.81',
      'Bus Type: \t PCI',
      'DMA Size: \t 47 bits',
      'DMA Mask: \t 0x7fffffffffff',
      'Bus Location: \t 0000:01:00.0',
      'Device Minor: \t 0',
      '',
    ].join('\n'),
    model: 'NVIDIA GeForce RTX 3090',
  },
  'an A10G in a virtual machine': {
    text: [
      'Model: \t\t NVIDIA A10G',
      'IRQ:   \t\t 42',
      'GPU UUID: \t GPU-82523fd8-3897-f599-d088-ccd04ae45ec1',
      'Video BIOS: \t 94.04.42.00.01',
      'Bus Type: \t PCIe',
      'DMA Size: \t 47 bits',
      'DMA Mask: \t 0x7fffffffffff',
      'Bus Location: \t 0000:00:1e.0',
      'Device Minor: \t 3',
      'GPU Excluded: \t No',
      '',
    ].join('\n'),
    model: 'NVIDIA A10G',
  },
  'a K80 that nobody has used since the driver was loaded': {
    text: [
      'Model: \t\t Tesla K80',
      'IRQ:   \t\t 39',
      'GPU UUID: \t GPU-????????-????-????-????-????????????',
      'Video BIOS: \t ??.??.??.??.??',
      'Bus Type: \t PCIe',
      'DMA Size: \t 36 bits',
      'DMA Mask: \t 0xfffffffff',
      'Bus Location: \t 0000:03:00.0',
      'Device Minor: \t 0',
      'GPU Excluded:\t No',
      '',
    ].join('\n'),
    model: 'Tesla K80',
  },
  'one that the driver was told to leave alone': {
    text: 'Model: \t\t Tesla K80\nIRQ:   \t\t 39\nDevice Minor: \t 1\nGPU Excluded:\t Yes\n',
    model: undefined,
  },
};
