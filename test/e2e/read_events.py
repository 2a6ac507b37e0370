"""Prints what TensorBoard reads from a folder of event files, as JSON."""

import json
import sys

from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

everything = {"tensors": 0, "scalars": 0, "images": 0}
accumulator = EventAccumulator(sys.argv[1], size_guidance=everything)
accumulator.Reload()
tags = {}
for tag in accumulator.Tags()["tensors"]:
    plugin = accumulator.SummaryMetadata(tag).plugin_data.plugin_name
    points = []
    for event in accumulator.Tensors(tag):
        values = tensor_util.make_ndarray(event.tensor_proto).reshape(-1)
        if plugin == "images":  # width, height, then a PNG for each picture
            value = [int(values[0]), int(values[1]), len(values) - 2, values[2][:8].hex(), len(values[2])]
        elif plugin == "text":
            value = values[0].decode()
        else:
            value = float(values[0])
        points.append({"step": event.step, "wallTime": event.wall_time, "value": value})
    tags[tag] = {"plugin": plugin, "points": points}
json.dump(tags, sys.stdout)
