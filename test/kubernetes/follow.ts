import {
  type Informer,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node';

const againMs = 200;

export interface Follower<Kind> {
  /** Called with each existing object, then with each change; times in it may be strings or dates. */
  readonly onChange: (object: Kind) => void;
  readonly onDelete: (object: Kind) => void;
}

/** Lists and watches one kind of object, through every break of the connection, until it is stopped. */
export class Follow<Kind extends KubernetesObject> {
  readonly #informer: Informer<Kind>;
  #over = false;

  /**
   * @param path - of the collection, such as `/api/v1/pods`.
   * @param list - the same collection, listed.
   */
  constructor(
    config: KubeConfig,
    path: string,
    list: () => Promise<KubernetesListObject<Kind>>,
    follower: Follower<Kind>,
  ) {
    this.#informer = makeInformer(config, path, list);
    const whileOn = (take: (object: Kind) => void) => (object: Kind) => {
      if (!this.#over) take(object);
    };
    this.#informer.on('add', whileOn(follower.onChange));
    this.#informer.on('update', whileOn(follower.onChange));
    this.#informer.on('delete', whileOn(follower.onDelete));
    // The informer gives up when the API server is unavailable; this one doesn't.
    this.#informer.on('error', () => setTimeout(() => void this.start(), againMs));
  }

  async start(): Promise<void> {
    while (!this.#over) {
      try {
        return await this.#informer.start();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, againMs));
      }
    }
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#informer.stop();
  }
}
