/** Name under which the API server records the operator's writes. */
export const fieldManager = 'lockstep-operator';
