"""The step that every adversarial network is trained by: what the two players do with a batch.

Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1; Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1; Mescheder et
al. 2018, arXiv:1801.04406, equation 9.
"""

import keras

from zoo import adversarial_losses as losses

# What noise is for: the second word of its seed.
SAMPLING, TRAINING, EVALUATION = 0, 1, 2
NORMS = ("generator_gradient_norm", "discriminator_gradient_norm")
HALF_RANGE = 127.5


def train(model, data):
    """One step of both players; see `zoo.adversarial.Adversarial`. Returns the logs."""
    import tensorflow as tf

    step = model.optimizer.iterations
    real, condition = _parts(model, data)
    size = tf.shape(real)[0]
    parts = model.game["discriminator_steps"]
    share, told = tf.maximum(size // parts, 1), []
    for k in range(parts):
        # A last batch that is smaller than its parts is gone through again.
        places = (k * share + tf.range(share)) % size if parts > 1 else None
        one, given = (each if places is None or each is None else tf.gather(each, places) for each in (real, condition))
        seed = seed_of(model, TRAINING, step, k)
        inputs = _given(model, tf.shape(one)[0], given, seed)
        if k < parts - 1:
            told.append(_teach_discriminator(model, one, model.learner(inputs, training=True), given, seed))
    variables = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        fake = model.learner(inputs, training=True)
        with tape.stop_recording():
            told.append(_teach_discriminator(model, one, tf.stop_gradient(fake), given, seed))
        scores = _judged(model, fake, given, seed, 2)
        loss, content = _generator_loss(model, scores, one, fake)
        scaled = model.optimizer.scale_loss(loss / _replicas())
    gradients = tape.gradient(scaled, variables)
    logs = {key: tf.add_n([each[key] for each in told]) / parts for key in told[0]}
    logs["generator_gradient_norm"] = _norm(gradients, model.optimizer)
    _blame(model, fake, scores)
    model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    _average(model)
    return _logged(model, loss, logs, content, size)


def test(model, data):
    """The losses of a batch, from codes that are the same in each evaluation. Returns the logs."""
    import tensorflow as tf

    real, condition = _parts(model, data)
    # Batches are told apart by how many came before in this evaluation.
    seed = seed_of(model, EVALUATION, tf.cast(model._loss_tracker.count, tf.int64), 0)
    fake = model.generator(_given(model, tf.shape(real)[0], condition, seed), training=False)
    of_real, of_fake = (_scores(model, each, condition, training=False) for each in (real, fake))
    loss, content = _generator_loss(model, of_fake, real, fake)
    return _logged(model, loss, _discriminator_logs(model, of_real, of_fake, 0.0), content, tf.shape(real)[0])


def _parts(model, data):
    """The real examples of a batch, and what the generator is given beside noise (None if nothing)."""
    import tensorflow as tf

    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    if model.translates:
        return tf.cast(y, "float32"), tf.cast(x, "float32")
    return tf.cast(x, "float32"), tf.cast(tf.reshape(y, (-1,)), "int32") if model.classes else None


def _given(model, size, condition, seed):
    import tensorflow as tf

    if model.translates:
        return condition
    z = _drawn(tf.random.stateless_normal, size, (model.latent,), seed)
    return z if condition is None else [z, condition]


def seed_of(model, purpose, step, part):
    """A seed that no other step and part has."""
    import tensorflow as tf

    seed = tf.constant((model.seed % 2**31, purpose), "int32")
    for number in (step, part, 0):
        seed = tf.random.experimental.stateless_fold_in(seed, tf.cast(number, "int32"))
    return seed


def _drawn(draw, size, shape, seed):
    """Random numbers for `size` examples: of several devices each has its rows of what one would draw for all."""
    import tensorflow as tf

    if _replicas() == 1:
        return draw(tf.concat([[size], shape], 0), seed)
    from zoo import mirrored

    sizes = tf.cast(mirrored.sizes(size), "int32")
    first = tf.reduce_sum(sizes[: tf.distribute.get_replica_context().replica_id_in_sync_group])
    return draw(tf.concat([[tf.reduce_sum(sizes)], shape], 0), seed)[first : first + size]


def _scores(model, examples, condition, training):
    """The discriminator's logits."""
    two = len(model.discriminator.inputs) > 1
    return model.discriminator([examples, condition] if two else examples, training=training)


def _judged(model, examples, condition, seed, draw):
    """Logits in training: of examples with instance noise, which is another for each `draw`."""
    import tensorflow as tf

    if model.game["instance_noise"]:
        another = tf.random.experimental.stateless_fold_in(seed, draw)
        size, *shape = tf.unstack(tf.shape(examples))
        more = _drawn(tf.random.stateless_normal, size, shape, another)
        examples = examples + _unit(model) * model.instance_noise * more
    return _scores(model, examples, condition, training=True)


def _unit(model):
    """What 1 of the range -1..1 is in the generator's output."""
    return HALF_RANGE if len(model.outputs[0].shape) == 4 else 1.0


def _teach_discriminator(model, real, fake, condition, seed):
    """One step of the discriminator. Returns its logs."""
    import tensorflow as tf

    options, optimizer = model.game, model.discriminator_optimizer
    variables = [variable.value for variable in model.discriminator.trainable_variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        of_real = _judged(model, real, condition, seed, 0)
        of_fake = _judged(model, fake, condition, seed, 1)
        penalty = 0.0
        if options["gradient_penalty"]:
            draw = tf.random.experimental.stateless_fold_in(seed, 3)
            part = _drawn(tf.random.stateless_uniform, tf.shape(real)[0], [1] * (len(real.shape) - 1), draw)
            steep = slopes(model, part * real + (1 - part) * fake, condition)
            # The root's slope at 0 is infinite.
            distances = tf.square(tf.sqrt(steep + 1e-12) - 1)
            penalty += options["gradient_penalty"] * tf.reduce_mean(distances)
        if options["r1"]:
            penalty += options["r1"] / 2 * tf.reduce_mean(slopes(model, real, condition))
        logs = _discriminator_logs(model, of_real, of_fake, penalty)
        scaled = optimizer.scale_loss(logs["discriminator_loss"] / _replicas())
    gradients = tape.gradient(scaled, variables)
    optimizer.apply_gradients(zip(gradients, model.discriminator.trainable_variables, strict=True))
    return {**logs, "discriminator_gradient_norm": _norm(gradients, optimizer)}


def slopes(model, examples, condition):
    """The squared norm of the gradient of each example's logits, where pixels span -1..1."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(examples)
        scores = _scores(model, examples, condition, training=True)
    gradients = _unit(model) * tape.gradient(scores, examples)
    return tf.reduce_sum(tf.square(gradients), axis=range(1, len(examples.shape)))


def _discriminator_logs(model, of_real, of_fake, penalty):
    name = model.game["loss"]
    loss = losses.discriminator_loss(name, of_real, of_fake, model.game["label_smoothing"])
    opinions = {"d_real": losses.opinion(name, of_real), "d_fake": losses.opinion(name, of_fake)}
    return {"discriminator_loss": loss + penalty, **opinions}


def _generator_loss(model, of_fake, real, fake):
    """The generator's loss, and the part of it that compares contents (None if there is none)."""
    options = model.game
    loss = options["adversarial_weight"] * losses.generator_loss(options["loss"], of_fake)
    if model.content is None:
        return loss, None
    content = model.content(real, fake)
    return loss + options["content_weight"] * content, content


def _blame(model, fake, scores):
    """Notes who gave the first number that is none: the generator if its images are at fault."""
    import tensorflow as tf

    def finite(values):
        return tf.reduce_all(tf.math.is_finite(tf.cast(values, "float32")))

    found = tf.where(finite(fake), tf.where(finite(scores), 0, 2), 1)
    before = model.first_broken.value
    model.first_broken.assign(tf.where(before > 0, before, found))


def _average(model):
    """Moves the graph's generator a little towards the one that is trained."""
    import tensorflow as tf

    if model.twin is None:
        return
    steps = tf.cast(model.optimizer.iterations, "float32")
    # The first weights are noise: at the beginning they are forgotten faster.
    decay = tf.minimum(model.ema, steps / (steps + 9))
    for mean, weight in zip(model.generator.weights, model.twin.weights, strict=True):
        mean.assign(decay * mean.value + (1 - decay) * weight.value)


def _logged(model, loss, logs, content, size):
    import tensorflow as tf

    logs = logs if content is None else {**logs, "content": content}
    weight = 1.0
    if _replicas() > 1:
        from zoo import mirrored

        # A batch counts once, and each device's part of it by its examples.
        weight = mirrored.share(size)
    model._loss_tracker.update_state(loss, sample_weight=weight)
    results = {"loss": model._loss_tracker.result()}
    for tracker in model.trackers:
        if tracker.name in logs:
            # A step whose scaled loss overflowed is skipped, and has no norm.
            counts = tf.cast(tf.math.is_finite(logs[tracker.name]), "float32") if tracker.name in NORMS else 1.0
            counts = counts * weight
            tracker.update_state(tf.math.multiply_no_nan(logs[tracker.name], counts), sample_weight=counts)
            results[tracker.name] = tracker.result()
    return results


def _replicas():
    """Between how many devices a batch is shared: Keras sums their gradients."""
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def _norm(gradients, optimizer):
    """The norm of all gradients together, of the loss as it is."""
    import tensorflow as tf

    return tf.linalg.global_norm(gradients) * _replicas() / optimizer.scale_loss(tf.constant(1.0))
