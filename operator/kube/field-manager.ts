/** Who writes, as the API server notes it with each field. */
export const fieldManager = 'lockstep-operator';
