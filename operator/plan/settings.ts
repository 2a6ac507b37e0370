/** Settings of the operator, the same for all jobs. */
export interface Settings {
  /** Image of pods whose job names none. */
  readonly image: string;
  readonly imagePullPolicy?: string | undefined;
  /** Namespace of the operator's pods, which may ask coordinators; undefined where it runs outside the cluster. */
  readonly operatorNamespace?: string | undefined;
  /** Whether `workers.template` may be any pod spec, even one that gives its pods the node. */
  readonly allowAnyTemplate?: boolean | undefined;
  /** Name servers that workers may query; default: CoreDNS and kube-dns. */
  readonly nameServers?: readonly NameServer[] | undefined;
}

/** Pods with a label in a namespace, or addresses. */
export type NameServer =
  { readonly namespace: string; readonly label: string; readonly value: string } | { readonly cidr: string };
