#!/usr/bin/python3
"""Writes the golden files beside this script: what PyTorch computes, in f64, for small inputs.

Needs Debian's python3-torch and python3-torchaudio (1.13.1, 0.13.1): /usr/bin/python3 tests/golden/make_golden.py
README.md says what each file holds."""

import json
import pathlib

import torch
from torch import nn

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
DTYPES = {torch.float64: "f64", torch.int64: "i64"}


def write(name, tensors):
    """One tensor a line; floats in the shortest form that reads back to the same bits."""
    lines = []
    for key, value in tensors.items():
        tensor = torch.as_tensor(value).detach()
        data = json.dumps(tensor.reshape(-1).tolist())
        lines.append(f'"{key}": {{"dtype": "{DTYPES[tensor.dtype]}", "shape": {list(tensor.shape)}, "data": {data}}}')
    path = pathlib.Path(__file__).with_name(name + ".json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def leaf(*shape):
    return torch.randn(shape, requires_grad=True)


def run_backward(inputs, outputs):
    """Outputs, a random cotangent for each, and the gradient of each input."""
    cotangents = {name: torch.randn_like(value) for name, value in outputs.items()}
    torch.autograd.backward(list(outputs.values()), list(cotangents.values()))
    return {
        **inputs,
        **outputs,
        **{"cotangent." + name: value for name, value in cotangents.items()},
        **{"grad." + name: value.grad for name, value in inputs.items() if value.requires_grad},
    }


def linear():
    inputs = {"input": leaf(2, 5, 3), "weight": leaf(4, 3), "bias": leaf(4)}
    write("linear", run_backward(inputs, {"output": nn.functional.linear(**inputs)}))


def embedding():
    weight, padding_idx = leaf(7, 4), 2
    index = torch.tensor([[1, 2, 6, 1, 0], [3, 3, 2, 2, 5], [0, 6, 1, 2, 4]])
    output = nn.functional.embedding(index, weight, padding_idx=padding_idx)
    result = run_backward({"weight": weight}, {"output": output})
    write("embedding", {"index": index, "padding_idx": padding_idx, **result})


def recurrent(name, kind, states, hidden, **options):
    """Two layers, both directions, lengths that aren't sorted, initial states."""
    module = kind(input_size=3, hidden_size=hidden, num_layers=2, bidirectional=True, batch_first=True, **options)
    lengths = torch.tensor([4, 6, 1, 3])
    x = leaf(4, 6, 3)
    first = {state + "_0": leaf(4, 4, hidden) for state in states}
    inputs = {"input": x, **first, **dict(module.named_parameters())}
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    initial = tuple(first.values())
    packed_output, last = module(packed, initial if len(states) > 1 else initial[0])
    output, _ = nn.utils.rnn.pad_packed_sequence(packed_output, batch_first=True)
    last = last if len(states) > 1 else (last,)
    result = run_backward(inputs, {"output": output, **{state + "_n": value for state, value in zip(states, last)}})
    write(name, {"lengths": lengths, **result})


def lstm():
    recurrent("lstm", nn.LSTM, "hc", 5)


def gru():
    recurrent("gru", nn.GRU, "h", 4)


def rnn():
    recurrent("rnn_tanh", nn.RNN, "h", 4)
    recurrent("rnn_relu", nn.RNN, "h", 4, nonlinearity="relu")


def before(lengths, places):
    """True before each row's length; PyTorch's key_padding_mask is the opposite."""
    return torch.arange(places)[None, :] < lengths[:, None]


def module_result(name, module, inputs, outputs, more):
    """A module's inputs and parameters, outputs and gradients. None may have its first values of 0 or 1."""
    write(name, {**more, **run_backward({**inputs, **dict(module.named_parameters())}, outputs)})


def randomise(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return module


def multihead_attention():
    """Rows behind a length are left out of outputs: weft takes them for zeros."""
    lengths, causal = torch.tensor([5, 3, 1]), torch.ones(5, 5).tril().bool()
    module = randomise(nn.MultiheadAttention(6, 2, batch_first=True))
    x, within = leaf(3, 5, 6), before(lengths, 5)
    masks = {"attn_mask": ~causal, "key_padding_mask": ~within}
    output, averaged = module(x, x, x, **masks)
    _, per_head = module(x, x, x, average_attn_weights=False, **masks)
    outputs = {"output": output * within[:, :, None], "averaged": averaged * within[:, :, None],
               "per_head": per_head * within[:, None, :, None]}
    module_result("multihead_attention", module, {"input": x}, outputs, {"lengths": lengths})

    module = randomise(nn.MultiheadAttention(6, 3, bias=False, kdim=4, vdim=5, batch_first=True))
    inputs = {"query": leaf(2, 3, 6), "key": leaf(2, 4, 4), "value": leaf(2, 4, 5)}
    allowed = torch.tensor([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 0, 0]])
    output, averaged = module(*inputs.values(), attn_mask=~allowed.bool())
    module_result("multihead_attention_cross", module, inputs, {"output": output, "averaged": averaged}, {"allowed": allowed})


def transformer():
    sizes = {"d_model": 6, "nhead": 2, "dim_feedforward": 7, "dropout": 0.0, "batch_first": True}
    source_lengths, target_lengths = torch.tensor([4, 2, 3]), torch.tensor([3, 5, 1])
    source_within, target_within = before(source_lengths, 4), before(target_lengths, 5)
    lengths = {"source_lengths": source_lengths, "target_lengths": target_lengths}
    causal = torch.ones(5, 5).tril().bool()
    target_masks = {"tgt_mask": ~causal, "tgt_key_padding_mask": ~target_within, "memory_key_padding_mask": ~source_within}
    for suffix, options in {"": {}, "_norm_first": {"norm_first": True, "activation": "gelu", "layer_norm_eps": 1e-3}}.items():
        layer = randomise(nn.TransformerEncoderLayer(**sizes, **options))
        source = leaf(3, 4, 6)
        output = layer(source, src_key_padding_mask=~source_within) * source_within[:, :, None]
        module_result("transformer_encoder_layer" + suffix, layer, {"source": source}, {"output": output}, lengths)

        layer = randomise(nn.TransformerDecoderLayer(**sizes, **options))
        inputs = {"target": leaf(3, 5, 6), "memory": leaf(3, 4, 6)}
        output = layer(*inputs.values(), **target_masks) * target_within[:, :, None]
        module_result("transformer_decoder_layer" + suffix, layer, inputs, {"output": output}, lengths)

        module = randomise(nn.Transformer(num_encoder_layers=2, num_decoder_layers=2, **sizes, **options))
        inputs = {"source": leaf(3, 4, 6), "target": leaf(3, 5, 6)}
        output = module(*inputs.values(), src_key_padding_mask=~source_within, **target_masks) * target_within[:, :, None]
        module_result("transformer" + suffix, module, inputs, {"output": output}, lengths)


def layer_norm():
    inputs, eps = {"input": leaf(2, 3, 7), "weight": leaf(7), "bias": leaf(7)}, 1e-5
    output = nn.functional.layer_norm(normalized_shape=(7,), eps=eps, **inputs)
    write("layer_norm", {"eps": eps, **run_backward(inputs, {"output": output})})


def convolution():
    """Cases conv2d.0, ...: settings as [stride, padding, dilation, groups], pairs as height, width."""
    functional, result = nn.functional, {}
    settings = [
        ((2, 2, 6, 5), (3, 2, 3, 2), (2, 1), (1, 2), (1, 1), 1),
        ((1, 4, 6, 6), (4, 2, 2, 3), (1, 2), (0, 1), (3, 2), 2),
        ((1, 3, 5, 5), (3, 1, 3, 3), (1, 1), (1, 1), (1, 1), 3),
    ]
    for i, (shape, weight, stride, padding, dilation, groups) in enumerate(settings):
        inputs = {"input": leaf(*shape), "weight": leaf(*weight), "bias": leaf(weight[0])}
        output = functional.conv2d(**inputs, stride=stride, padding=padding, dilation=dilation, groups=groups)
        options = torch.tensor([*stride, *padding, *dilation, groups])
        result.update({f"{i}.{key}": value for key, value in
                       {"options": options, **run_backward(inputs, {"output": output})}.items()})
    write("conv2d", result)
    inputs = {"input": leaf(1, 4, 3, 2), "weight": leaf(4, 2, 3, 2), "bias": leaf(4)}
    output = functional.conv_transpose2d(**inputs, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(2, 1), groups=2)
    write("conv_transpose2d", run_backward(inputs, {"output": output}))


def conv1d():
    module = nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2)
    inputs = {"input": leaf(3, 4, 9), **dict(module.named_parameters())}
    write("conv1d", run_backward(inputs, {"output": module(inputs["input"])}))


def batch_norm_1d():
    """Steps as in batch_norm, of the frames within lengths; the running values are plain means over the two batches."""
    module, result = nn.BatchNorm1d(4, momentum=None), {"lengths": torch.tensor([5, 0, 3])}
    nn.init.normal_(module.weight)
    nn.init.normal_(module.bias)
    result.update({"weight": module.weight.detach().clone(), "bias": module.bias.detach().clone()})
    within = torch.arange(5) < result["lengths"][:, None]
    for step in range(3):
        module.train(step < 2)
        inputs = {"input": leaf(3, 4, 5), "weight": module.weight, "bias": module.bias}
        module.zero_grad()
        output = torch.zeros(3, 5, 4)
        output[within] = module(inputs["input"].transpose(1, 2)[within])
        done = run_backward(inputs, {"output": output.transpose(1, 2)})
        del done["weight"], done["bias"]
        done.update({"running_mean": module.running_mean, "running_var": module.running_var})
        result.update({f"{step}.{key}": value.detach().clone() for key, value in done.items()})
    write("batch_norm_1d", result)


def batch_norm():
    """Two training steps and one by the running statistics: step.input, step.output, ..., the statistics after each."""
    module, result = nn.BatchNorm2d(3, eps=1e-3, momentum=0.2), {}
    nn.init.normal_(module.weight)
    nn.init.normal_(module.bias)
    result.update({"weight": module.weight.detach().clone(), "bias": module.bias.detach().clone()})
    for step in range(3):
        module.train(step < 2)
        inputs = {"input": leaf(4, 3, 2, 3), "weight": module.weight, "bias": module.bias}
        module.zero_grad()
        done = run_backward(inputs, {"output": module(inputs["input"])})
        del done["weight"], done["bias"]
        done.update({"running_mean": module.running_mean, "running_var": module.running_var})
        result.update({f"{step}.{key}": value.detach().clone() for key, value in done.items()})
    write("batch_norm", result)


def group_norm():
    inputs, eps = {"input": leaf(2, 6, 3, 2), "weight": leaf(6), "bias": leaf(6)}, 1e-4
    output = nn.functional.group_norm(num_groups=3, eps=eps, **inputs)
    write("group_norm", {"eps": eps, **run_backward(inputs, {"output": output})})


def pooling():
    """What F.max_pool2d, F.avg_pool2d and F.interpolate do with one input; the input has equal maxima."""
    functional = nn.functional
    table = {
        "max_pool2d": lambda x: functional.max_pool2d(x, 3, stride=2, padding=1),
        "max_pool2d.overlapping": lambda x: functional.max_pool2d(x, (2, 4), stride=1, padding=(1, 2)),
        "avg_pool2d": lambda x: functional.avg_pool2d(x, 3, stride=2, padding=1),
        "avg_pool2d.excluding": lambda x: functional.avg_pool2d(x, (2, 3), stride=(2, 1), padding=(1, 1), count_include_pad=False),
        "max_pool1d": lambda x: functional.max_pool1d(x[:, :, 0], 3, stride=2, padding=1),
        "avg_pool1d": lambda x: functional.avg_pool1d(x[:, :, 0], 4, padding=2),
        "interpolate.size": lambda x: functional.interpolate(x, size=(9, 4)),
        "interpolate.factor": lambda x: functional.interpolate(x, scale_factor=(2.5, 0.5)),
        "interpolate.length": lambda x: functional.interpolate(x[:, :, 0], scale_factor=1.7),
    }
    x = (2 * torch.randn(2, 2, 6, 7)).round().requires_grad_()
    result = {"input": x}
    for name, function in table.items():
        x.grad = None
        output = function(x)
        cotangent = torch.randn_like(output)
        output.backward(cotangent)
        result.update({name + ".output": output, name + ".cotangent": cotangent, name + ".grad": x.grad.clone()})
    write("pooling", result)


def cross_entropy():
    logits, target = leaf(8, 5), torch.tensor([3, 0, 1, 4, 0, 2, 2, 1])
    options = {"ignore_index": 0, "label_smoothing": 0.1}
    loss = nn.functional.cross_entropy(logits, target, reduction="mean", **options)
    loss.backward()
    write("cross_entropy", {"input": logits, "target": target, **options, "loss": loss, "grad.input": logits.grad})


def cross_entropy_weight():
    """Class weights, a class of weight 0 among them; SMOOTHING.REDUCTION and the gradient of its sum."""
    logits, target, weight = leaf(8, 5), torch.tensor([3, 0, 1, 4, 0, 2, 2, 1]), torch.tensor([0.5, 0.0, 2.0, 0.25, 1.5])
    result = {"input": logits, "target": target, "weight": weight, "ignore_index": 2}
    for smoothing in (0.0, 0.1, 1.0):
        for reduction in ("mean", "sum", "none"):
            loss = nn.functional.cross_entropy(logits, target, weight, ignore_index=2, label_smoothing=smoothing,
                                               reduction=reduction)
            result[f"{smoothing}.{reduction}"] = loss
            result[f"{smoothing}.{reduction}.grad"] = torch.autograd.grad(loss.sum(), logits)[0]
    write("cross_entropy_weight", result)


def losses():
    """Of each loss the values and their mean, and the mean's gradients with respect to a and b where it has any."""
    functional = nn.functional
    a, b, c, probabilities = leaf(4, 5), leaf(4, 5), leaf(4, 5), torch.rand(4, 5, requires_grad=True)
    classes, signs, rows = torch.tensor([3, 0, 4, 0]), torch.tensor([[1, -1, -1, 1, 1]] * 4), torch.tensor([1, -1, -1, 1])
    weight, pos_weight = torch.rand(5), torch.rand(5)

    def log_q():
        return b.log_softmax(-1)

    table = {
        "mse_loss": lambda **o: functional.mse_loss(a, b, **o),
        "l1_loss": lambda **o: functional.l1_loss(a, b, **o),
        "huber_loss": lambda **o: functional.huber_loss(a, b, delta=0.7, **o),
        "smooth_l1_loss": lambda **o: functional.smooth_l1_loss(a, b, beta=0.7, **o),
        "binary_cross_entropy_with_logits":
            lambda **o: functional.binary_cross_entropy_with_logits(a, probabilities, weight, pos_weight=pos_weight, **o),
        "kl_div": lambda **o: functional.kl_div(a, probabilities, **o),
        "kl_div.log_target": lambda **o: functional.kl_div(a, log_q(), log_target=True, **o),
        "nll_loss": lambda **o: functional.nll_loss(a, classes, weight, ignore_index=0, **o),
        "hinge_embedding_loss": lambda **o: functional.hinge_embedding_loss(a, signs, margin=0.8, **o),
        "cosine_embedding_loss": lambda **o: functional.cosine_embedding_loss(a, b, rows, margin=-0.4, **o),
        "multi_margin_loss": lambda **o: functional.multi_margin_loss(a, classes, p=1, margin=0.8, weight=weight, **o),
        "multi_margin_loss.squared": lambda **o: functional.multi_margin_loss(a, classes, p=2, **o),
        "triplet_margin_loss": lambda **o: functional.triplet_margin_loss(a, b, c, **o),
        "triplet_margin_loss.swap": lambda **o: functional.triplet_margin_loss(a, b, c, margin=2.0, p=3, swap=True, **o),
    }
    result = {"a": a, "b": b, "c": c, "probabilities": probabilities, "classes": classes, "signs": signs, "rows": rows,
              "weight": weight, "pos_weight": pos_weight}
    for name, loss in table.items():
        for leaf_tensor in (a, b, c, probabilities):
            leaf_tensor.grad = None
        mean = loss(reduction="mean")
        mean.backward()
        result.update({name + ".none": loss(reduction="none"), name + ".mean": mean})
        for key, value in (("a", a), ("b", b), ("c", c), ("probabilities", probabilities)):
            if value.grad is not None:
                result[f"{name}.grad.{key}"] = value.grad.clone()
    write("losses", result)


def ctc_loss():
    """Lengths below the full ones, equal neighbours, a target without labels, and one that is impossible (row 4)."""
    logits = leaf(5, 7, 6)
    targets = torch.tensor([[3, 3, 2], [5, 0, 4], [2, 2, 2], [0, 5, 0], [4, 4, 4]])
    lengths = {"input_lengths": torch.tensor([7, 5, 4, 3, 4]), "target_lengths": torch.tensor([3, 2, 0, 1, 3])}
    result = {"logits": logits, "targets": targets, **lengths}
    for reduction in ("mean", "sum", "none"):
        log_probs = logits.log_softmax(-1)
        log_probs.retain_grad()
        loss = nn.functional.ctc_loss(log_probs.transpose(0, 1), targets, blank=1, zero_infinity=True, reduction=reduction,
                                      **lengths)
        logits.grad = None
        loss.sum().backward()
        result.update({reduction: loss, "grad.logits." + reduction: logits.grad, "grad.log_probs." + reduction: log_probs.grad})
    write("ctc_loss", result)


def optimizer(name, make, lr, buffers, options, bias_options=None, rows=3, columns=5):
    """Five steps on two parameters with given gradients; the bias has none in the third step."""
    bias_options = bias_options or {}
    parameters = {"weight": leaf(rows, columns), "bias": leaf(columns)}
    bias_group = {"params": [parameters["bias"]]}
    if "lr_factor" in bias_options:
        bias_group["lr"] = lr[0] * bias_options["lr_factor"]
    if "weight_decay" in bias_options:
        bias_group["weight_decay"] = bias_options["weight_decay"]
    optim = make([{"params": [parameters["weight"]]}, bias_group], lr=lr[0])
    result = {"lr": torch.tensor(lr), **options, **{"bias." + key: value for key, value in bias_options.items()}}
    result.update({f"0.{key}": value.detach().clone() for key, value in parameters.items()})
    for step in range(1, 6):
        optim.param_groups[0]["lr"] = lr[step - 1]
        optim.param_groups[1]["lr"] = lr[step - 1] * bias_options.get("lr_factor", 1)
        for key, value in parameters.items():
            value.grad = None
            if step != 3 or key != "bias":
                value.grad = torch.randn_like(value)
                result[f"{step}.grad.{key}"] = value.grad.clone()
        optim.step()
        result.update({f"{step}.{key}": value.detach().clone() for key, value in parameters.items()})
    for key, value in parameters.items():
        result.update({f"state.{key}.{buffer}": optim.state[value][buffer] for buffer in buffers})
    write(name, result)


def optimizers():
    lr = [0.01, 0.01, 0.02, 0.005, 0.005]
    moments = ["exp_avg", "exp_avg_sq"]
    adam = {"beta1": 0.9, "beta2": 0.98, "eps": 1e-6}

    def with_betas(kind, weight_decay):
        return lambda groups, lr: kind(groups, lr=lr, betas=(0.9, 0.98), eps=1e-6, weight_decay=weight_decay)

    optimizer("adam", with_betas(torch.optim.Adam, 0), lr, moments, {**adam, "weight_decay": 0.0})
    optimizer("adam_l2", with_betas(torch.optim.Adam, 0.1), lr, moments, {**adam, "weight_decay": 0.1})
    optimizer("adamw", with_betas(torch.optim.AdamW, 0.1), lr, moments, {**adam, "weight_decay": 0.1},
              {"lr_factor": 2.0, "weight_decay": 0.0})
    nesterov = {"momentum": 0.9, "weight_decay": 0.05}
    optimizer("sgd_nesterov", lambda groups, lr: torch.optim.SGD(groups, lr=lr, nesterov=True, **nesterov), lr,
              ["momentum_buffer"], nesterov)
    dampened = {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.0}
    optimizer("sgd_dampened", lambda groups, lr: torch.optim.SGD(groups, lr=lr, **dampened), lr,
              ["momentum_buffer"], dampened)
    plain = {"weight_decay": 0.05}
    optimizer("sgd", lambda groups, lr: torch.optim.SGD(groups, lr=lr, **plain), lr, [], plain)


def adaptive_optimizers():
    """The weight has two AVX-512 vectors and a rest; the bias a learning rate and a decay of its own."""
    lr = [0.01, 0.01, 0.02, 0.005, 0.005]

    def five_steps(name, kind, buffers, **options):
        numbers = {key: value for key, value in options.items() if isinstance(value, float)}
        optimizer(name, lambda groups, lr: kind(groups, lr=lr, **options), lr, buffers, numbers,
                  {"lr_factor": 2.0, "weight_decay": 0.05}, rows=4, columns=9)

    adam, moments = {"betas": (0.9, 0.98), "eps": 1e-6, "weight_decay": 0.1}, ["exp_avg", "exp_avg_sq"]
    five_steps("adam_amsgrad", torch.optim.Adam, [*moments, "max_exp_avg_sq"], amsgrad=True, **adam)
    five_steps("adamw_amsgrad", torch.optim.AdamW, [*moments, "max_exp_avg_sq"], amsgrad=True, **adam)
    # Without foreach 1.13 has a factor mu too many (pytorch#92699).
    five_steps("nadam", torch.optim.NAdam, [*moments, "mu_product"], momentum_decay=0.01, foreach=True, **adam)
    rmsprop = {"alpha": 0.9, "eps": 1e-6, "weight_decay": 0.1}
    five_steps("rmsprop", torch.optim.RMSprop, ["square_avg"], **rmsprop)
    five_steps("rmsprop_momentum", torch.optim.RMSprop, ["square_avg", "momentum_buffer"], momentum=0.8, **rmsprop)
    five_steps("rmsprop_centered", torch.optim.RMSprop, ["square_avg", "momentum_buffer", "grad_avg"], momentum=0.8,
               centered=True, **rmsprop)
    five_steps("adagrad", torch.optim.Adagrad, ["sum"], lr_decay=0.1, initial_accumulator_value=0.2, weight_decay=0.1)
    five_steps("adadelta", torch.optim.Adadelta, ["square_avg", "acc_delta"], rho=0.8, eps=1e-4, weight_decay=0.1)


def trajectories():
    """A hundred steps down one loss, 'NAME.STEP.PARAMETER' after 10, 50 and 100 of them."""
    x, y = torch.randn(6, 7), torch.rand(6, 5)
    start = {"weight": 0.5 * torch.randn(5, 7), "bias": torch.randn(5)}
    kinds = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        "adam": lambda p: torch.optim.Adam(p, lr=0.02, weight_decay=0.01),
        "adam_amsgrad": lambda p: torch.optim.Adam(p, lr=0.02, amsgrad=True),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1),
        "adamw_amsgrad": lambda p: torch.optim.AdamW(p, lr=0.02, betas=(0.8, 0.9), weight_decay=0.1, amsgrad=True),
        "nadam": lambda p: torch.optim.NAdam(p, lr=0.02, weight_decay=0.01, foreach=True),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.005, weight_decay=0.01),
        "rmsprop_centered": lambda p: torch.optim.RMSprop(p, lr=0.002, alpha=0.95, momentum=0.9, centered=True),
        "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, lr_decay=0.01, weight_decay=0.01),
        "adadelta": lambda p: torch.optim.Adadelta(p, lr=2.0, weight_decay=0.01),
    }
    result = {"x": x, "y": y, **start}
    for name, make in kinds.items():
        parameters = {key: value.clone().requires_grad_() for key, value in start.items()}
        optim = make(list(parameters.values()))
        for step in range(1, 101):
            optim.zero_grad()
            (nn.functional.linear(x, parameters["weight"], parameters["bias"]).tanh() - y).square().mean().backward()
            optim.step()
            if step in (10, 50, 100):
                result.update({f"{name}.{step}.{key}": value.detach().clone() for key, value in parameters.items()})
    write("trajectories", result)


def lbfgs():
    """25 steps of four iterations down the loss of the trajectories, whose file it reads, with some weight decay: without it a
    start that differs by 1e-15 ends up to 1e-6 away, in PyTorch itself."""
    given = json.loads(pathlib.Path(__file__).with_name("trajectories.json").read_text())
    given = {key: torch.tensor(given[key]["data"]).reshape(given[key]["shape"]) for key in ("x", "y", "weight", "bias")}
    result = {}
    for name, lr, search in (("plain", 0.1, None), ("wolfe", 1.0, "strong_wolfe")):
        parameters = {key: given[key].clone().requires_grad_() for key in ("weight", "bias")}
        optim = torch.optim.LBFGS(list(parameters.values()), lr=lr, max_iter=4, history_size=5, line_search_fn=search)

        def closure():
            optim.zero_grad()
            predicted = nn.functional.linear(given["x"], parameters["weight"], parameters["bias"]).tanh()
            loss = (predicted - given["y"]).square().mean()
            loss = loss + 0.002 * sum(value.square().sum() for value in parameters.values())
            loss.backward()
            return loss

        losses = []
        for step in range(1, 26):
            losses.append(optim.step(closure).item())
            if step in (1, 2, 3, 5, 10, 25):
                result.update({f"{name}.{step}.{key}": value.detach().clone() for key, value in parameters.items()})
        result[f"{name}.loss"] = torch.tensor(losses)
        result[f"{name}.evaluations"] = torch.tensor(optim.state[parameters["weight"]]["func_evals"])
    write("lbfgs", result)


def sparse_adam():
    """A hundred steps of a table of which each looks up four rows, some twice, row 8 never."""
    table = nn.Embedding(9, 5, sparse=True)
    index, target = torch.randint(0, 8, (100, 4)), torch.rand(4, 5)
    optim = torch.optim.SparseAdam(table.parameters(), lr=0.02, betas=(0.8, 0.98), eps=1e-5)
    result = {"weight": table.weight.clone(), "index": index, "target": target}
    for step in range(1, 101):
        optim.zero_grad()
        (table(index[step - 1]) - target).square().mean().backward()
        optim.step()
        if step in (1, 2, 10, 50, 100):
            result[f"{step}.weight"] = table.weight.detach().clone()
    write("sparse_adam", result)


def schedules():
    """The learning rate at each of 40 updates from a peak of 1."""
    def rates(make):
        optim = torch.optim.SGD([leaf(1)], lr=1.0)
        schedule, result = make(optim), []
        for _ in range(40):
            result.append(optim.param_groups[0]["lr"])
            optim.step()
            schedule.step()
        return torch.tensor(result)

    kinds = torch.optim.lr_scheduler

    def cyclic(**options):
        return lambda optim: kinds.CyclicLR(optim, base_lr=0.1, max_lr=1.0, step_size_up=5, cycle_momentum=False, **options)

    def one_cycle(**options):
        return lambda optim: kinds.OneCycleLR(optim, max_lr=1.0, total_steps=41, cycle_momentum=False, **options)

    def warmed(optim):
        parts = [kinds.LinearLR(optim, start_factor=0.25, total_iters=3), kinds.ExponentialLR(optim, gamma=0.9)]
        return kinds.SequentialLR(optim, parts, milestones=[3])

    write("schedules", {
        "exponential": rates(lambda optim: kinds.ExponentialLR(optim, gamma=0.9)),
        "polynomial": rates(lambda optim: kinds.PolynomialLR(optim, total_iters=30, power=2.0)),
        "polynomial_linear": rates(lambda optim: kinds.PolynomialLR(optim, total_iters=50)),
        "cyclic": rates(cyclic()),
        "cyclic_halved": rates(cyclic(step_size_down=8, mode="triangular2")),
        "cyclic_decaying": rates(cyclic(step_size_down=3, mode="exp_range", gamma=0.95)),
        "one_cycle": rates(one_cycle()),
        "one_cycle_linear": rates(one_cycle(pct_start=0.4, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0)),
        "one_cycle_three_phases": rates(one_cycle(three_phase=True, div_factor=5.0)),
        "warmup_exponential": rates(warmed),
    })


def plateau():
    """Factors of ReduceLROnPlateau after each metric, one row a setting."""
    metrics = [5.0, 4.0, 4.0, 4.5, 3.99999, 4.2, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 2.0, 2.5, 2.5, 2.5, 2.5, 2.5]
    settings = [
        {"mode": "min", "factor": 0.5, "patience": 1},
        {"mode": "min", "factor": 0.3, "patience": 0, "cooldown": 2, "min_lr": 0.01},
        {"mode": "min", "factor": 0.5, "patience": 1, "threshold": 0.5, "threshold_mode": "abs"},
        {"mode": "max", "factor": 0.1, "patience": 2, "threshold": 0.1},
        {"mode": "max", "factor": 0.1, "patience": 1, "threshold_mode": "abs", "eps": 0.05},
    ]
    rows = []
    for setting in settings:
        optim = torch.optim.SGD([leaf(1)], lr=1.0)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optim, **setting)
        rows.append([])
        for metric in metrics:
            schedule.step(metric)
            rows[-1].append(optim.param_groups[0]["lr"])
    write("plateau", {"metrics": torch.tensor(metrics), "factors": torch.tensor(rows)})


def sound_features():
    """Windows are centred in the transform by torch.stft, so the sound gets as much in front as they are shifted."""
    import torchaudio

    time = torch.arange(1500, dtype=torch.float64)
    samples = 0.3 * torch.sin(0.4 * time) + 0.1 * torch.sin(1.9 * time + 0.2) + 0.02 * torch.randn(1500)
    samples = (samples * 32768).round() / 32768
    before = torch.cat([samples[:1], samples[:-1]])
    tensors = {"samples": samples}
    for scale, rate, window, hop, fft, bands, low, high in (
        ("htk", 8000, 200, 80, 256, 40, 0.0, 4000.0),
        ("slaney", 16000, 400, 160, 512, 30, 60.0, 7000.0),
    ):
        shift = (fft - window) // 2
        padded = nn.functional.pad(samples - 0.97 * before, (shift, fft - window - shift))
        spectrum = torch.stft(padded, fft, hop, window, torch.hann_window(window), center=False, return_complex=True)
        triangles = torchaudio.functional.melscale_fbanks(fft // 2 + 1, low, high, bands, rate, mel_scale=scale)
        energies = (spectrum.abs() ** 2).T @ triangles.to(torch.float64)
        tensors[f"{scale}.log_mel"] = energies.clamp(min=1e-8).log()
        tensors[f"{scale}.deltas"] = torchaudio.functional.compute_deltas(tensors[f"{scale}.log_mel"].T).T
    write("sound_features", tensors)


if __name__ == "__main__":
    for make in (linear, embedding, lstm, gru, rnn, layer_norm, cross_entropy, cross_entropy_weight, losses, ctc_loss, optimizers,
                 adaptive_optimizers, trajectories, lbfgs, sparse_adam, schedules, plateau, convolution, conv1d, batch_norm,
                 batch_norm_1d, group_norm, pooling, multihead_attention, transformer, sound_features):
        torch.manual_seed(20221215)
        make()
