"""What the pages do in the background; each may run twice or be killed without harm."""

from __future__ import annotations

from procrastinate import JobContext
from procrastinate.contrib.django import app

from twin.kernel import clock
from twin.portal.filing import make_file
from twin.reports import storage
from twin.reports.actions import MAKE, QUEUE


@app.task(name=MAKE, queue=QUEUE, lock=QUEUE, pass_context=False)
def make_export(organisation_id: int, export_id: int) -> None:
    """Make one file that somebody asked for."""
    make_file(organisation_id, export_id)


@app.periodic(cron="* * * * * */30")
@app.task(queueing_lock="exports-stalled", lock="exports-stalled", pass_context=True)
async def resume_stalled_exports(context: JobContext, timestamp: int) -> None:
    """A file whose worker died is made by another."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(queue=QUEUE):
        await manager.retry_job(job)


@app.periodic(cron="41 * * * *")
@app.task(queueing_lock="exports-old", lock="exports-old", pass_context=False)
def forget_old_files(timestamp: int) -> None:
    """Files nobody can fetch any more do not fill the disk."""
    storage.sweep(clock.now())
