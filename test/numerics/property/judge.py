"""Judges models by tf_keras: JSON lines in, one answer each, in order.

Usage: LOCKSTEP_PYTHON judge.py   (needs tf_keras; see judge.ts for the fields)

Every request holds a topology as JSON text. `describe` answers with tf_keras's own complete form of it, or with the
reason of its refusal. `run` also computes, with the given weights and images: loss sum, gradient of every weight and
running statistics after one step of training, and log-softmax rows of evaluation.

Two things are set, so that both sides compute the same function of the same inputs:
- Dropout's random factors are the request's masks, by layer and number of the call. Shape and rate are compared.
- Batch norms take TensorFlow's plain path: the fused kernel, an optimisation, stores Bessel's variance and raises
  epsilon to 1.001e-5.
"""

import base64
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import numpy as np
import tensorflow as tf
import tf_keras as keras

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
PERTURBATION = 2.0**-22
# Names that TF.js writes differently from tf_keras.
TFJS_NAMES = {"hardSigmoid": keras.activations.hard_sigmoid, "logSoftmax": tf.nn.log_softmax}
TFJS_FORMATS = {"channelsLast": "channels_last", "channelsFirst": "channels_first"}


class Disagreement(Exception):
    """The other side's parts don't fit tf_keras's model."""


def decode(text, kind="<f4"):
    return np.frombuffer(base64.b64decode(text), kind)


def encode(values):
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode()


def all_layers(model):
    """Every layer, wrapped and nested ones included."""
    return [layer for layer in model._flatten_layers(include_self=False)]


def find_layer(model, path):
    for name in path:
        model = model.get_layer(name)
    return model


class Masks:
    """Stands in for tf_keras's random generators of dropout layers: gives the request's factors."""

    def __init__(self, masks):
        self.masks = {mask["name"]: mask for mask in masks}
        self.used = set()
        self.calls = {}
        self.distributed = set()

    def place(self, model):
        """Puts the factors into every dropout layer of the model."""
        self.calls = {}
        for layer in all_layers(model):
            if isinstance(layer, keras.layers.TimeDistributed):
                self.distributed.add(layer.layer.name)
            if isinstance(layer, keras.layers.Dropout):
                object.__setattr__(layer, "_random_generator", MaskSource(self, layer.name, layer._random_generator))

    def joined(self, name):
        """The masks of all time steps as one, with the steps of a sample after each other, as tf_keras calls the layer."""
        names = [key for key in self.masks if key == name or key.startswith(f"{name}#")]
        self.used.update(names)
        steps = [decode(self.masks[key]["values"]).reshape(self.masks[key]["shape"]) for key in names]
        first = self.masks[name]
        joined = np.stack(steps, 1)
        shape = [joined.shape[0] * joined.shape[1], *joined.shape[2:]]
        return {"shape": shape, "rate": first["rate"], "values": encode(joined)}

    def draw(self, name, inputs, rate, noise_shape):
        self.calls[name] = self.calls.get(name, 0) + 1
        key = name if self.calls[name] == 1 else f"{name}#{self.calls[name]}"
        if key not in self.masks:
            raise Disagreement(f"dropout {key}: tf_keras draws a mask, the program has none")
        mask = self.joined(name) if name in self.distributed else self.masks[key]
        shape = [int(n) for n in (inputs.shape if noise_shape is None else noise_shape)]
        if shape != mask["shape"] or abs(rate - mask["rate"]) > 1e-7:
            raise Disagreement(f"dropout {key}: tf_keras draws {shape} with rate {rate}, the program {mask['shape']} with {mask['rate']}")
        self.used.add(key)
        return inputs * tf.constant(decode(mask["values"]).reshape(shape), inputs.dtype)

    def check(self):
        unused = set(self.masks) - self.used
        if unused:
            raise Disagreement(f"dropout {sorted(unused)}: the program takes masks that tf_keras does not draw")


class MaskSource:
    def __init__(self, masks, name, own):
        self.masks, self.name, self.own = masks, name, own

    def dropout(self, inputs, rate, noise_shape=None):
        return self.masks.draw(self.name, inputs, rate, noise_shape)

    def __getattr__(self, key):
        return getattr(self.own, key)


def build(topology, floatx="float32"):
    keras.backend.clear_session()
    keras.backend.set_floatx(floatx)
    keras.utils.set_random_seed(1)
    return keras.models.model_from_json(respelled(topology, floatx), custom_objects=TFJS_NAMES)


def respelled(topology, floatx):
    """The topology with TF.js's names of data formats as Keras has them, computed in `floatx`."""

    def changed(config):
        for key, value in config.items():
            if key == "data_format" and value in TFJS_FORMATS:
                config[key] = TFJS_FORMATS[value]
            if key == "dtype" and value == "float32":
                config[key] = floatx
        return config

    return json.dumps(json.loads(topology, object_hook=changed))


def layer_weights(model, entry):
    layer = find_layer(model, entry["path"])
    weights = layer.trainable_weights if entry["trainable"] else layer.non_trainable_weights
    if entry["index"] >= len(weights):
        raise Disagreement(f"weight {entry['name']}: tf_keras has {[w.name for w in weights]} in layer {entry['path']}")
    return weights[entry["index"]]


def place_weights(model, entries):
    """tf_keras's weight of each entry, in which its values are put."""
    placed = []
    for entry in entries:
        weight = layer_weights(model, entry)
        kind, expected = weight.name.split(":")[0].split("/")[-1], entry["name"].split("/")[-1]
        if list(weight.shape) != entry["shape"] or kind != expected:
            raise Disagreement(f"weight {entry['name']} {entry['shape']}: tf_keras has {weight.name} {list(weight.shape)}")
        placed.append(weight)
    missing = {id(w): w.name for w in model.weights}
    for weight in placed:
        missing.pop(id(weight), None)
    if missing:
        raise Disagreement(f"weights: tf_keras has {sorted(missing.values())} besides")
    return placed


def constrained(model):
    for layer in all_layers(model):
        for weight in layer.weights:
            if getattr(weight, "constraint", None) is not None:
                raise Disagreement(f"constraint of {weight.name}")


def prepare_norms(model):
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.fused = False


def loss_of(model, images, labels):
    outputs = model(images, training=True)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(outputs, tf.float32))
    return tf.reduce_sum(losses) + sum(tf.cast(extra, tf.float32) for extra in model.losses)


def gradients(model, weights, request):
    """Loss, and the gradient of each trainable weight, in training mode."""
    images, labels = request["images"], request["labels"]
    with tf.GradientTape() as tape:
        loss = loss_of(model, images, labels)
    variables = [weight for weight, entry in zip(weights, request["weights"]) if entry["trainable"]]
    values = tape.gradient(loss, variables, unconnected_gradients="zero")
    return float(loss), [tf.convert_to_tensor(value).numpy() for value in values]


def assign(weights, values):
    for weight, value in zip(weights, values):
        weight.assign(tf.cast(value.reshape(weight.shape), weight.dtype))


def distances(some, others):
    return np.array([float(np.linalg.norm(a - b)) for a, b in zip(some, others)])


def sensitivity(model, weights, masks, request, values, exact):
    """What rounding may do to each gradient: how far it moves with weights moved by 2⁻²², and with float64."""
    generator = np.random.default_rng(1)
    assign(weights, [value * (1 + PERTURBATION * generator.choice([-1, 1], value.shape).astype("f4")) for value in values])
    masks.calls = {}
    _, moved = gradients(model, weights, request)
    exacter = build(request["topology"], "float64")
    prepare_norms(exacter)
    masks.place(exacter)
    weights = place_weights(exacter, request["weights"])
    assign(weights, values)
    _, precise = gradients(exacter, weights, {**request, "images": tf.cast(request["images"], tf.float64)})
    return list(distances(moved, exact) + distances(precise, exact))


def run(model, request):
    mean, deviation = (np.array(request["normalise"][key], "f4") for key in ("mean", "deviation"))
    shape = request["imageShape"]
    pixels = decode(request["images"], "u1").reshape([-1, *shape]).astype("f4") / np.float32(255)
    inputs = {**request, "images": tf.constant((pixels - mean) / deviation), "labels": tf.constant(request["labels"])}
    constrained(model)
    prepare_norms(model)
    weights = place_weights(model, request["weights"])
    initial = [summary(weight.numpy()) for weight in weights]
    values = [decode(entry["values"]) for entry in request["weights"]]
    assign(weights, values)
    rows = tf.nn.log_softmax(tf.cast(model(inputs["images"], training=False), tf.float32)).numpy()
    masks = Masks(request["masks"])
    masks.place(model)
    loss, grads = gradients(model, weights, inputs)
    masks.check()
    state = [weight.numpy() for weight, entry in zip(weights, request["weights"]) if not entry["trainable"]]
    answer = {
        "loss": loss,
        "gradients": [encode(value) for value in grads],
        "state": [encode(value) for value in state],
        "rows": encode(rows),
        "initial": initial,
    }
    if request.get("sensitivity"):
        answer["sensitivity"] = sensitivity(model, weights, masks, inputs, values, grads)
    return answer


def summary(values):
    flat = values.reshape(-1).astype("f8")
    few = len(np.unique(flat)) <= 2
    return {"mean": float(flat.mean()), "deviation": float(flat.std()), **({"values": encode(flat)} if few else {})}


def answer(request):
    try:
        model = build(request["topology"])
        described = {"complete": model.to_json(), "weights": len(model.weights)}
    except Exception as problem:  # tf_keras refuses with errors of many kinds.
        return {"refusal": f"{type(problem).__name__}: {problem}"[:600]}
    if request["task"] == "describe":
        return described
    try:
        return {**described, **run(model, request)}
    except Disagreement as problem:
        return {**described, "disagreement": str(problem)}
    except Exception as problem:
        return {"refusal": f"run: {type(problem).__name__}: {problem}"[:600]}


def main():
    print(json.dumps({"ready": f"tf_keras {keras.__version__}"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request["id"], **answer(request)}), flush=True)


if __name__ == "__main__":
    main()
