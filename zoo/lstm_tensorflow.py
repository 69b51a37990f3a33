"""An LSTM's loop over time in TensorFlow, with its gradient written out.

With a_t = x_t + h_{t-1} U + b, the gates i, f, g, o of a_t, and c_t = f c_{t-1} + i g, h_t = o tanh(c_t), the gradients
of the loss run back from the last step. With those of h_t and c_t given,

    dc_t  += dh_t o (1 - tanh(c_t)^2)
    da_t   = [dc_t g i(1-i),  dc_t c_{t-1} f(1-f),  dc_t i (1-g^2),  dh_t tanh(c_t) o(1-o)]
    dh_{t-1} += da_t U^T,     dc_{t-1} = dc_t f,    dU = sum of h_{t-1}^T da_t,     db = sum of da_t
"""

import tensorflow as tf


def lstm(inputs, kernel, bias, h, c, kept=None):
    """All states of an LSTM.

    Args:
        inputs: what reaches the gates input, forget, candidate, output from outside: a list of a tensor for each step,
            (batch, 4 * units), float32 or a 16-bit float, in which the products are computed.
        kernel: U, (units, 4 * units), of the same type.
        bias: b, (4 * units,), of the same type.
        h, c: the states before, (batch, units).
        kept: None, or what h_{t-1} is multiplied with before U, (batch, units): the mask of recurrent dropout.

    Returns:
        A list of h after each step (batch, units), of the type of `inputs`, and c after the last step, float32.
        Gradients go to all arguments but `kept`.
    """
    kept = None if kept is None else tf.cast(kept, kernel.dtype)
    *hs, c = _unrolled(kernel, bias, tf.cast(h, kernel.dtype), tf.cast(c, tf.float32), kept, inputs)
    return hs, c


def _unrolled(kernel, bias, h, c, kept, inputs):
    dropped = (lambda state: state) if kept is None else (lambda state: state * kept)

    @tf.custom_gradient
    def run(kernel, bias, h, c, *inputs):
        hs, cs, gates = [h], [c], []
        for sums in inputs:
            h, c, gate = _forth(sums, tf.matmul(dropped(h), kernel), bias, c)
            hs.append(h), cs.append(c), gates.append(gate)

        def gradient(*given):
            *d_hs, d_c = given
            d_h, d_sums = tf.zeros_like(h), []
            for step in reversed(range(len(gates))):
                d_sum, d_c = _back(d_hs[step] + d_h, d_c, cs[step], cs[step + 1], gates[step])
                d_h = dropped(tf.matmul(d_sum, kernel, transpose_b=True))
                d_sums.insert(0, d_sum)
            before = tf.concat([dropped(each) for each in hs[:-1]], 0)
            all_sums = tf.concat(d_sums, 0)
            d_kernel = tf.matmul(before, all_sums, transpose_a=True)
            return d_kernel, tf.reduce_sum(all_sums, 0), d_h, d_c, *d_sums

        return (*hs[1:], c), gradient

    return run(kernel, bias, h, c, *inputs)


@tf.function(jit_compile=True)
def _forth(from_input, from_state, bias, c):
    """One step from what reaches the gates: h, c and the four gates."""
    sums = sum(tf.cast(each, tf.float32) for each in (from_input, from_state, bias))
    i, f, g, o = tf.split(sums, 4, axis=1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    c = f * c + i * g
    dtype = from_state.dtype
    return tf.cast(o * tf.tanh(c), dtype), c, tf.cast(tf.concat([i, f, g, o], 1), dtype)


@tf.function(jit_compile=True)
def _back(d_h, d_c, before, c, gates):
    """One step back: the gradient of the sums, and of the cell's state before."""
    i, f, g, o = tf.split(tf.cast(gates, tf.float32), 4, axis=1)
    d_h, c = tf.cast(d_h, tf.float32), tf.tanh(c)
    d_c += d_h * o * (1 - c * c)
    parts = [d_c * g * i * (1 - i), d_c * before * f * (1 - f), d_c * i * (1 - g * g), d_h * c * o * (1 - o)]
    return tf.cast(tf.concat(parts, 1), gates.dtype), d_c * f
