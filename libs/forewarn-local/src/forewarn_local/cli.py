"""The ``forewarn`` command. Each subcommand is a module of :mod:`forewarn_local.commands`."""

import typer

from forewarn_local.commands import (
    catalogue,
    clean,
    down,
    evaluate,
    evaluate_cmapss,
    fit,
    import_,
    logs,
    rul,
    scenario,
    score,
    status,
    up,
)

app = typer.Typer(
    help="Run Forewarn on this machine: real Kafka, real PostgreSQL, every service supervised.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("status")(status.status)
app.command("down")(down.down)
app.command("clean")(clean.clean)
app.command("logs")(logs.logs)
app.command("import")(import_.import_)
app.command("fit")(fit.fit)
app.command("score")(score.score)
app.add_typer(rul.app, name="rul")
evaluate.app.command("cmapss")(evaluate_cmapss.cmapss)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(scenario.app, name="scenario")
