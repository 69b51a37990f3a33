"""What each subcommand of `zoo` does, given its parsed flags: it calls one function of the library and prints."""

from zoo import flags, registry, sources
from zoo.errors import ZooError, choose


def _execution(parsed):
    jit = {"auto": "auto", "yes": True, "no": False}[parsed.jit_compile]
    found = dict(precision=parsed.precision, steps_per_execution=parsed.steps_per_execution, jit_compile=jit)
    # Left out where it is the default: studies of old know nothing of it.
    return found if parsed.strategy == "none" else {**found, "strategy": parsed.strategy}


def _hyper(parsed):
    known = flags.signature(sources.path_of(parsed.recipe))
    return {key: value for key, value in vars(parsed).items() if key in known}


def listing(parsed):
    if parsed.recipes:
        import fnmatch

        names = fnmatch.filter(sources.recipes(), parsed.pattern)
        rows = [(name, sources.claim(name)) for name in names]
    else:
        names = registry.list_models(parsed.pattern, parsed.task)
        rows = [(name, f"{registry.entry(name).parameters:>12,}  {registry.entry(name).summary}") for name in names]
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")


def show(parsed):
    known = registry.describe(parsed.model)
    known["parameters"] = f"{known['parameters']:,} trainable"
    shipped = known.pop("shipped")
    for key, value in known.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k}={v!r}" for k, v in value.items())
        if isinstance(value, list):
            value = ", ".join(value)
        if value:
            print(f"{key:<11} {value}")
    for weights, row in shipped.items():
        print(f"\nweights {weights}: {row['number']}")
        print(f"  trained by {row['recipe']}")
        print(f"  taken by   {row['build']}")
        print(f"  file       {row['file']}, {row['bytes'] / 1000:,.0f} kB, SHA-256 {row['sha256']}")


def train(parsed):
    from zoo import trainer

    if parsed.find_lr:
        from zoo import rate_finder

        rate_finder.find_learning_rate(
            parsed.recipe, seed=parsed.seed, folder=parsed.folder, precision=parsed.precision, **_hyper(parsed)
        )
        return
    trainer.train(
        parsed.recipe,
        seed=parsed.seed,
        folder=parsed.folder,
        overwrite=parsed.overwrite,
        export=parsed.export,
        hosts=parsed.hosts,
        host=parsed.host,
        **_execution(parsed),
        **_hyper(parsed),
    )


def doctor(parsed):
    from zoo import doctor, preparation

    source, _, built, chosen = preparation.prepare(parsed.recipe, _hyper(parsed), 0, **_execution(parsed))
    for key, (value, why) in chosen.items():
        print(f"{key}: {value} ({why})")
    found = doctor.inspect(built)
    for finding in found:
        print(f"{finding.level}: {finding}")
    refused = [finding for finding in found if finding.level == "refuse"]
    if refused:
        raise ZooError(f"{source.name} would be refused: {len(refused)} of the findings above are errors")
    print(f"{source.name} can be trained.")


def compare(parsed):
    from zoo import comparison

    known = flags.signature(sources.path_of(parsed.recipe))
    vary = {}
    for text in parsed.vary:
        key, equals, values = text.partition("=")
        key = key.replace("-", "_")
        if not equals:
            raise ZooError(f"--vary takes KEY=A,B,C. Received: {text}")
        choose("--vary's key", key, tuple(known))
        default, annotation, _ = known[key]
        if isinstance(default, (tuple, list)):
            convert = flags.converter(default, annotation)
            vary[key] = [convert(part.replace("-", ",")) for part in values.split(",")]
        elif isinstance(default, bool):
            vary[key] = [choose(key, part, ("yes", "no")) == "yes" for part in values.split(",")]
        else:
            vary[key] = [flags.converter(default, annotation)(part) for part in values.split(",")]
    comparison.compare(
        parsed.recipe,
        vary=vary,
        seeds=parsed.seeds,
        folder=parsed.folder,
        test=parsed.test or None,
        **_execution(parsed),
        **_hyper(parsed),
    )


def tune(parsed):
    from zoo.search import tuning

    tuning.tune(
        parsed.recipe,
        trials=parsed.trials,
        tuner=parsed.tuner,
        seed=parsed.seed,
        folder=parsed.folder,
        resume=parsed.resume,
        parallel=parsed.parallel,
        budget=parsed.budget,
        limit=parsed.limit,
        keep=parsed.keep,
        stop=parsed.stop,
        **_execution(parsed),
        **_hyper(parsed),
    )


def resume(parsed):
    from zoo import trainer

    trainer.resume(parsed.folder, hosts=parsed.hosts, host=parsed.host)


def retrain(parsed):
    from zoo import retraining

    retraining.retrain(parsed.folder, to=parsed.to)


def evaluate(parsed):
    from zoo import trainer

    found = trainer.evaluate(parsed.folder, verbose=1)
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key:<{width}} {value:.6f}")


def report(parsed):
    from zoo import report

    for path in report.redraw(parsed.folder):
        print(path)
    table = report.table(parsed.folder)
    if table:
        print(table)


def predict(parsed):
    from zoo import predictor, segmenting, translating

    if parsed.text and (segmenting.segments(parsed.folder) or translating.translates(parsed.folder)):
        raise ZooError(f"--text is for runs of models that take text. Received: --text {parsed.text[0]!r}")
    if segmenting.segments(parsed.folder):
        for path, shares in segmenting.masks(parsed.folder, parsed.files, parsed.to):
            print(f"{path}  {', '.join(f'{label} {share:.1%}' for label, share in shares.items())}")
        return
    if translating.translates(parsed.folder):
        for path in translating.images(parsed.folder, parsed.files, parsed.to):
            print(path)
        return
    if parsed.to:
        raise ZooError(
            "--to is for segmentation runs, which write masks, and translation runs, which write images. "
            f"Received: --to {parsed.to}"
        )
    answers = predictor.predict(parsed.folder, parsed.files, parsed.text or ())
    texts = parsed.text or ()
    names = [_short(name) if name in texts else name for name in (str(answer["file"]) for answer in answers)]
    width = max(map(len, names))
    for name, answer in zip(names, answers, strict=True):
        number = answer.get("value", answer.get("squared_error"))
        if "action" in answer:
            said = f"{answer['action']}  {answer['value']:.6g}"
        elif "perplexity" in answer:
            said = f"perplexity {answer['perplexity']:.4f}"
        elif "text" in answer:
            said = answer["text"]
        elif number is not None:
            said = f"{number:.6g}"
        else:
            said = f"{answer['label']}  {answer['probability']:.4f}"
        print(f"{name:<{width}}  {said}")


def _short(text, most=60):
    """A text as a title: one line, and not a long one."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def generate(parsed):
    from zoo import generating

    path = generating.generate(
        parsed.folder,
        parsed.n,
        density=parsed.density,
        components=parsed.components,
        label=parsed.label,
        seed=parsed.seed,
        to=parsed.to,
        overwrite=parsed.overwrite,
        prompt=parsed.prompt,
        length=parsed.length,
        temperature=parsed.temperature,
        top_k=parsed.top_k,
    )
    if path is not None:
        print(path)


def play(parsed):
    from zoo import showing

    showing.play(
        parsed.folder,
        parsed.episodes,
        env=parsed.env,
        seed=parsed.seed,
        record=parsed.record,
        fps=parsed.fps,
        overwrite=parsed.overwrite,
    )
    if parsed.record:
        print(parsed.record)


def export(parsed):
    from zoo import savedmodel

    print(savedmodel.export_run(parsed.folder, parsed.format, to=parsed.to, overwrite=parsed.overwrite))


def draw(parsed):
    from zoo import drawing

    if parsed.name == "list":
        for name, meaning in drawing.names().items():
            print(f"{name:<12}  {meaning}")
    else:
        print(drawing.draw(parsed.name, parsed.to, overwrite=parsed.overwrite))


def bench(parsed):
    from zoo import benching

    benching.bench(
        parsed.models,
        batches=parsed.batches,
        seconds=parsed.seconds,
        precision=parsed.precision,
        limit=parsed.limit,
        to=parsed.to,
        overwrite=parsed.overwrite,
    )


def runs(parsed):
    from zoo import runs

    found = runs.folders(parsed.under)
    if not found:
        print(f"no runs under {parsed.under or runs.root()}")
    width = max((len(str(folder)) for folder in found), default=0)
    for folder in found:
        metrics = runs.metrics(folder)
        record = runs.read(folder)
        if metrics is None:
            text = f"stopped after epoch {len(runs.history(folder))} of {record['epochs']}: zoo resume {folder}"
        else:
            text = ", ".join(f"{k} {v:.4f}" for k, v in metrics.items() if k.startswith("test_"))
        print(f"{folder!s:<{width}}  {record['began']}  {text}")
