import type { Builder } from "../builder.js";
import { NoGraph, type Four, type Tensor } from "../graph.js";
import type { StateSpace } from "../network.js";

const float = 4;

/** Tokens of one sequence, and sequences. */
export function perSequence({ tokens, sizes }: Builder): [tokens: number, sequences: number] {
  return [tokens / sizes.sequences, sizes.sequences];
}

/**
 * The state of the sequences at hand, out of all (llama-graph.cpp build_rs): the first is cleared, those
 * that are used are read with `read`, the others are moved to where they belong.
 */
export function currentState(
  b: Builder,
  block: number,
  part: "shift" | "state",
  read?: (states: Tensor) => Tensor,
): Tensor {
  const { graph, sizes } = b;
  const cache = b.state(block, part);
  const [length, all] = cache.ne;
  const states = graph.reshape(cache, length, all);
  graph.expand(graph.scaleInPlace(graph.view1d(states, length)));
  const rows = b.stateRows();
  const result = read ? read(states) : graph.getRows(states, rows.used);
  graph.expand(result);
  const others = graph.getRows(states, rows.others);
  const from = sizes.sequences * cache.nb[1];
  graph.expand(
    graph.copyInto(others, graph.view2d(cache, length, all - sizes.sequences, cache.nb[1], from)),
  );
  return result;
}

/** A convolution along the tokens (ggml_ssm_conv). */
export function convolution({ graph }: Builder, x: Tensor, kernel: Tensor): Tensor {
  const lengths = [x.ne[1], x.ne[0] - kernel.ne[0] + 1, x.ne[2]];
  return graph.make("SSM_CONV", x.type, lengths, [x, kernel]);
}

function stateSpace({ network }: Builder): StateSpace {
  if (!network.state) throw new NoGraph("The model has no state space.");
  return network.state;
}

/** The last inputs of the convolution are kept for the next tokens. */
export function keepShift(b: Builder, tail: Tensor, into: Tensor): void {
  b.graph.expand(b.graph.copyInto(tail, into));
}

/**
 * The convolution's last inputs in front of the new ones, `x`, whose rows are the tokens:
 * [width - 1 + tokens, channels, sequences]. The end of it is kept.
 */
function behindShift(b: Builder, block: number, x: Tensor, width: number): Tensor {
  const { graph } = b;
  const [tokens, channels, sequences] = x.ne;
  const shift = graph.reshape(currentState(b, block, "shift"), width - 1, channels, sequences);
  const joined = graph.concat(shift, x, 0);
  const [element, row, matrix] = joined.nb;
  const shape = [width - 1, channels, sequences] as const;
  const tail = graph.view3d(joined, shape, row, matrix, tokens * element);
  const cache = b.state(block, "shift");
  keepShift(b, tail, graph.view2d(cache, (width - 1) * channels, sequences, cache.nb[1]));
  return joined;
}

/** Selective state space, one step size a channel (mamba-base.cpp build_mamba_layer). */
export function mamba(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network } = b;
  const { convolution: width, inner, state, timeStepRank: rank } = stateSpace(b);
  const [tokens, sequences] = perSequence(b);
  const both = graph.mulMat(
    b.neededOf(block, "ssm_in.weight"),
    graph.reshape(x, x.ne[0], tokens, sequences),
  );
  const half = (offset: number) =>
    graph.view3d(both, [inner, both.ne[1], both.ne[2]], both.nb[1], both.nb[2], offset);
  const z = half(inner * float);
  const joined = behindShift(b, block, graph.transpose(half(0)), width);

  let channels = convolution(b, joined, b.neededOf(block, "ssm_conv1d.weight"));
  channels = graph.add(channels, b.neededOf(block, "ssm_conv1d.bias"));
  channels = graph.unary(channels, "SILU");
  const projected = graph.mulMat(b.neededOf(block, "ssm_x.weight"), channels);
  const [, row, matrix] = projected.nb;
  const group = (offset: number) =>
    graph.view4d(projected, [state, 1, tokens, sequences], state * float, row, matrix, offset);
  let step = graph.view3d(projected, [rank, tokens, sequences], row, matrix);
  let bIn = group(rank * float);
  let cOut = group((rank + state) * float);
  if (b.of(block, "ssm_dt_norm.weight")) {
    step = graph.norm(step, b.of(block, "ssm_dt_norm.weight"));
    bIn = graph.norm(bIn, b.of(block, "ssm_b_norm.weight"));
    cOut = graph.norm(cOut, b.of(block, "ssm_c_norm.weight"));
  } else step = graph.cont(step);
  step = graph.mulMat(b.neededOf(block, "ssm_dt.weight"), step);
  step = graph.add(step, b.neededOf(block, "ssm_dt.bias"));

  const input = graph.reshape(channels, 1, inner, tokens, sequences);
  const a = b.neededOf(block, "ssm_a");
  const outputs = inner * tokens * sequences;
  const kept = state * inner * sequences;
  const { used } = b.stateRows();
  const scan = currentState(b, block, "state", (states) => {
    const shaped = graph.reshape(states, state, 1, inner, b.sizes.sequences);
    const sources = [shaped, input, step, a, bIn, cOut, used];
    return graph.make("SSM_SCAN", x.type, [outputs + kept], sources);
  });
  graph.expand(
    graph.copyInto(
      graph.view1d(scan, kept, input.nb[3] * input.ne[3]),
      graph.view1d(b.state(block, "state"), kept),
    ),
  );
  let y = graph.view3d(scan, [inner, tokens, sequences], input.nb[2], input.nb[3]);
  y = graph.add(y, graph.mul(channels, b.neededOf(block, "ssm_d")));
  y = graph.glu(graph.cont(z), y);
  y = graph.mulMat(b.neededOf(block, "ssm_out.weight"), y);
  return graph.reshape(y, network.embedding, b.tokens);
}

/** State space by heads with one step size each (mamba-base.cpp build_mamba2_layer). */
export function mamba2(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const { convolution: width, inner, state, timeStepRank: headCount, groups } = stateSpace(b);
  const [tokens, sequences] = perSequence(b);
  const length = inner / headCount;
  const channels = inner + 2 * groups * state;
  const flat = graph.mulMat(b.neededOf(block, "ssm_in.weight"), x);
  const all = graph.reshape(flat, flat.ne[0], tokens, sequences);
  const [, row, matrix] = all.nb;
  const shape: Four = [length, headCount, tokens, sequences];
  const z = graph.view4d(all, shape, length * float, row, matrix);
  const xbc = graph.view3d(all, [channels, tokens, sequences], row, matrix, inner * float);
  const offset = (2 * inner + 2 * groups * state) * float;
  const step = graph.view3d(all, [headCount, tokens, sequences], row, matrix, offset);

  const joined = behindShift(b, block, graph.transpose(xbc), width);
  let convolved = convolution(b, joined, b.neededOf(block, "ssm_conv1d.weight"));
  const bias = b.of(block, "ssm_conv1d.bias");
  if (bias) convolved = graph.add(convolved, bias);
  convolved = graph.unary(convolved, "SILU");

  const part = (count: number, size: number, at: number) =>
    graph.view4d(
      convolved,
      [size, count, tokens, sequences],
      size * float,
      convolved.nb[1],
      convolved.nb[2],
      at * float,
    );
  const input = part(headCount, length, 0);
  const bIn = part(groups, state, inner);
  const cOut = part(groups, state, inner + groups * state);
  const dt = graph.add(graph.cont(step), b.neededOf(block, "ssm_dt.bias"));
  const a = b.neededOf(block, "ssm_a");
  const outputs = inner * tokens * sequences;
  const kept = state * inner;
  const { used } = b.stateRows();
  const scan = currentState(b, block, "state", (states) => {
    const shaped = graph.reshape(states, state, length, headCount, b.sizes.sequences);
    const sources = [shaped, input, dt, a, bIn, cOut, used];
    return graph.make("SSM_SCAN", x.type, [outputs + kept * sequences], sources);
  });
  const states = b.state(block, "state");
  graph.expand(
    graph.copyInto(
      graph.view3d(
        scan,
        [kept, sequences, 1],
        kept * float,
        kept * float * sequences,
        outputs * float,
      ),
      graph.view3d(states, [kept, sequences, 1], states.nb[1], b.sizes.sequences * kept * float),
    ),
  );
  const line = input.nb[1];
  let y = graph.view4d(scan, shape, line, headCount * line, tokens * headCount * line);
  y = graph.add(y, graph.mul(input, b.neededOf(block, "ssm_d")));
  y = graph.glu(graph.cont(z), y);
  const norm = b.of(block, "ssm_norm.weight");
  if (norm) {
    y = graph.norm(graph.reshape(y, inner / groups, groups, tokens, sequences), norm);
  }
  return graph.mulMat(b.neededOf(block, "ssm_out.weight"), graph.reshape(y, inner, b.tokens));
}

/** Gated short convolution (lfm2.cpp build_shortconv_block). */
export function shortConvolution(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network } = b;
  const { embedding } = network;
  const [tokens, sequences] = perSequence(b);
  const all = graph.mulMat(
    b.neededOf(block, "shortconv.in_proj.weight"),
    graph.reshape(x, embedding, tokens, sequences),
  );
  const third = (index: number) =>
    graph.view3d(
      all,
      [embedding, all.ne[1], all.ne[2]],
      all.nb[1],
      all.nb[2],
      index * embedding * float,
    );
  const gate = third(1);
  const gated = graph.transpose(graph.mul(third(0), third(2)));
  const joined = behindShift(b, block, gated, network.shortConvolution);
  const convolved = convolution(b, joined, b.neededOf(block, "shortconv.conv.weight"));
  const result = graph.mulMat(
    b.neededOf(block, "shortconv.out_proj.weight"),
    graph.mul(gate, convolved),
  );
  return graph.reshape(result, embedding, b.tokens);
}

/** Gated delta rule: linear attention with a state a head (qwen3next.cpp, qwen35.cpp). */
export function gatedDelta(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network } = b;
  const { inner, state: keyLength, groups: keyHeads, timeStepRank: valueHeads } = stateSpace(b);
  const width = stateSpace(b).convolution;
  const [tokens, sequences] = perSequence(b);
  const valueLength = inner / valueHeads;
  const channels = inner + 2 * keyHeads * keyLength;
  const flat = graph.mulMat(b.neededOf(block, "attn_qkv.weight"), x);
  const mixed = graph.reshape(flat, flat.ne[0], tokens, sequences);
  const z = graph.mulMat(b.neededOf(block, "attn_gate.weight"), x);
  const { beta, decay } = b.of(block, "ssm_ba.weight")
    ? fusedGates(b, block, x)
    : separateGates(b, block, x);

  const kernel = b.neededOf(block, "ssm_conv1d.weight");
  const joined = behindShift(b, block, graph.transpose(mixed), width);
  const state = graph.reshape(
    currentState(b, block, "state"),
    valueLength,
    valueLength,
    valueHeads,
    sequences,
  );

  const convolved = graph.unary(convolution(b, joined, kernel), "SILU");
  const row = channels * float;
  const part = (length: number, count: number, at: number) =>
    graph.view4d(
      convolved,
      [length, count, tokens, sequences],
      length * float,
      row,
      row * tokens,
      at * float,
    );
  let q = unitLength(b, part(keyLength, keyHeads, 0));
  let k = unitLength(b, part(keyLength, keyHeads, keyLength * keyHeads));
  const v = part(valueLength, valueHeads, 2 * keyLength * keyHeads);
  // The newer operation repeats the heads by itself; qwen3next still does so in the graph.
  if (network.architecture === "qwen3next" && keyHeads !== valueHeads) {
    const times = valueHeads / keyHeads;
    const repeated = (heads: Tensor) => {
      const single = graph.reshape(heads, keyLength, 1, keyHeads, b.tokens);
      const many = graph.repeat(single, [keyLength, times, keyHeads, b.tokens]);
      return graph.reshape(many, keyLength, valueHeads, tokens, sequences);
    };
    q = repeated(q);
    k = repeated(k);
  }

  const lengths = [valueLength * valueHeads, tokens * sequences + valueLength * sequences];
  const result = graph.make("GATED_DELTA_NET", x.type, lengths, [q, k, v, decay, beta, state]);
  const head = valueLength * float;
  const outputs = graph.view4d(
    result,
    [valueLength, valueHeads, tokens, sequences],
    head,
    head * valueHeads,
    head * valueHeads * tokens,
  );
  const states = graph.view4d(
    result,
    [valueLength, valueLength, valueHeads, sequences],
    head,
    head * valueLength,
    head * valueLength * valueHeads,
    head * valueHeads * tokens * sequences,
  );
  const stored = b.state(block, "state");
  graph.expand(graph.copyInto(states, graph.view2d(stored, stored.ne[0], sequences, stored.nb[1])));
  const gates = graph.reshape(z, valueLength, valueHeads, tokens, sequences);
  const normed = graph.norm(outputs, b.of(block, "ssm_norm.weight"));
  const gated = graph.mul(normed, graph.unary(gates, "SILU"));
  const rows = graph.reshape(gated, valueLength * valueHeads, tokens, sequences);
  const projected = graph.mulMat(b.neededOf(block, "ssm_out.weight"), rows);
  return graph.reshape(projected, network.embedding, b.tokens);
}

export function unitLength({ graph }: Builder, x: Tensor): Tensor {
  return graph.scale(graph.each("RMS_NORM", x));
}

interface Gates {
  /** How much of the new value is written. */
  beta: Tensor;
  /** How much of the state is kept. */
  decay: Tensor;
}

function decayOf(b: Builder, block: number, alpha: Tensor): Tensor {
  const { graph } = b;
  const biased = graph.add(alpha, b.neededOf(block, "ssm_dt.bias"));
  return graph.mul(graph.unary(biased, "SOFTPLUS"), b.neededOf(block, "ssm_a"));
}

/** Both out of one matrix, in turns for every key head. */
function fusedGates(b: Builder, block: number, x: Tensor): Gates {
  const { graph } = b;
  const { timeStepRank: valueHeads, groups: keyHeads } = stateSpace(b);
  const [tokens, sequences] = perSequence(b);
  const ratio = valueHeads / keyHeads;
  const flat = graph.mulMat(b.neededOf(block, "ssm_ba.weight"), x);
  const both = graph.reshape(flat, 2 * ratio, keyHeads, tokens, sequences);
  const half = (offset: number) =>
    graph.view4d(
      both,
      [ratio, keyHeads, tokens, sequences],
      both.nb[1],
      both.nb[2],
      both.nb[3],
      offset,
    );
  const beta = graph.unary(graph.cont(half(0)), "SIGMOID");
  const alpha = graph.cont(half(ratio * float), [valueHeads, tokens, sequences]);
  const decay = decayOf(b, block, alpha);
  const shape = [1, valueHeads, tokens, sequences];
  return { beta: graph.reshape(beta, ...shape), decay: graph.reshape(decay, ...shape) };
}

function separateGates(b: Builder, block: number, x: Tensor): Gates {
  const { graph } = b;
  const { timeStepRank: valueHeads } = stateSpace(b);
  const [tokens, sequences] = perSequence(b);
  const shape = [1, valueHeads, tokens, sequences];
  const flat = graph.mulMat(b.neededOf(block, "ssm_beta.weight"), x);
  const beta = graph.unary(graph.reshape(flat, ...shape), "SIGMOID");
  const alpha = graph.mulMat(b.neededOf(block, "ssm_alpha.weight"), x);
  const decay = decayOf(b, block, graph.reshape(alpha, valueHeads, tokens, sequences));
  return { beta, decay: graph.reshape(decay, ...shape) };
}
