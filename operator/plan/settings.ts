/** Settings of the operator, the same for all jobs. */
export interface Settings {
  /** Default image for jobs. */
  readonly image: string;
  readonly imagePullPolicy?: string | undefined;
  /** Namespace of the operator's pod, which may call coordinators; undefined outside a cluster. */
  readonly operatorNamespace?: string | undefined;
  /** Allow any pod spec in `workers.template`, even one that gives pods access to the node. */
  readonly allowAnyTemplate?: boolean | undefined;
  /** Name servers that workers may query; default: CoreDNS and kube-dns. */
  readonly nameServers?: readonly NameServer[] | undefined;
}

/** Pods with a label in a namespace, or addresses. */
export type NameServer =
  { readonly namespace: string; readonly label: string; readonly value: string } | { readonly cidr: string };
