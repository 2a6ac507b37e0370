/** Name of a program's input for the mask of this name. Here, as the tracing part needs TF.js and the running part does not. */
export function maskInput(mask: string): string {
  return `mask/${mask}`;
}
