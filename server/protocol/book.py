"""The server's book of jobs: admission, credit, what is kept for whom, and how each ends."""

from __future__ import annotations

from collections import OrderedDict, deque

from .entries import Blobs, Job, Order, Parts, Send, State
from .failures import RETRYABLE_CODES, Code, ProtocolError
from .internal import Grant, Start, Stop
from .limits import MAX_FRAMES, ServerLimits
from .messages import (
    Accepted,
    Cancel,
    Cancelled,
    Credit,
    Message,
    Progress,
    Resume,
    Submit,
    error_message,
)
from .requests import Request, parse_request
from .wire import encode


class Book:
    """All jobs of a server. What is to be done about them collects in `effects`."""

    def __init__(self, limits: ServerLimits, blobs: Blobs) -> None:
        self.limits = limits
        self.blobs = blobs
        self.ready = False
        self.stopping = False
        self.jobs: OrderedDict[bytes, Job] = OrderedDict()
        self.effects: deque[Send | Order] = deque()

    # What clients ask for

    def submit(self, visitor: bytes, submit: Submit) -> None:
        """Take a job in, or say why not."""
        known = self.jobs.get(submit.job)
        if known is not None:  # the same key is the same job, however often it comes
            self._adopt(known, visitor)
            self.send(visitor, Accepted(known.key, known.window))
            self._send_again(known)
            return
        if self.stopping:
            self.refuse(
                visitor, submit.job, Code.STOPPING, "The server is shutting down.",
                "Try again when it is back.",
            )  # fmt: skip
            return
        waiting = sum(job.state is State.QUEUED for job in self.jobs.values())
        own = sum(
            job.visitor == visitor and job.state is not State.ENDED for job in self.jobs.values()
        )
        if waiting >= self.limits.queued_jobs or own >= self.limits.jobs_per_connection:
            self.refuse(
                visitor, submit.job, Code.BUSY, "The server has all the work it can queue.",
                "Try again later.",
            )  # fmt: skip
            return
        try:
            request = parse_request(submit.kind, submit.request)
            self._hold_all(request)
        except ProtocolError as fault:
            self.refuse(visitor, submit.job, fault.code, fault.what, fault.remedy)
            return
        window = submit.window
        if request.bytes_per_frame:
            most = max(2, self.limits.window_bytes // request.bytes_per_frame)
            window = min(window, most)
        job = Job(submit.job, submit.kind, submit.request, request, visitor, window)
        self.jobs[job.key] = job
        self.send(visitor, Accepted(job.key, window))
        self._start_waiting()

    def _hold_all(self, request: Request) -> None:
        held: list[bytes] = []
        for digest in request.digests:
            size = self.blobs.hold(digest)
            if size is not None:
                held.append(digest)
                continue
            for other in held:
                self.blobs.release(other)
            raise ProtocolError(
                "The request names content that is not on the server.", "Send it again.",
                Code.MISSING_FILE,
            )  # fmt: skip

    def credit(self, visitor: bytes, message: Credit | Resume) -> None:
        """Let go of what the client has and let it have more; after RESUME send the rest again."""
        job = self._job_of(visitor, message.job, adopt=isinstance(message, Resume))
        if job is None:
            return
        job.window = min(job.window, message.window)
        highest = max(job.kept, default=job.received - 1) + 1
        job.received = max(job.received, min(message.received, highest))
        for index in [index for index in job.kept if index < job.received]:
            del job.kept[index]
        if job.state is State.RUNNING and self._limit(job) > job.granted:
            job.granted = self._limit(job)
            self.effects.append(Order(Grant(job.key, job.granted)))
        if isinstance(message, Resume):
            self._send_again(job)

    def _limit(self, job: Job) -> int:
        return min(job.received + job.window, MAX_FRAMES)

    def cancel(self, visitor: bytes, message: Cancel, now: float) -> None:
        """Stop a job and say so at once."""
        job = self._job_of(visitor, message.job, adopt=False)
        if job is None:
            return
        if job.state is State.RUNNING:
            self.effects.append(Order(Stop(job.key)))
        if job.state is not State.ENDED:
            self._end(job, encode(Cancelled(job.key)), now)
        else:
            self._send_to_owner(job, encode(Cancelled(job.key)))

    def _job_of(self, visitor: bytes, key: bytes, adopt: bool) -> Job | None:
        job = self.jobs.get(key)
        if job is not None and adopt:
            self._adopt(job, visitor)
        if job is None or job.visitor != visitor:
            self.refuse(
                visitor, key, Code.UNKNOWN_JOB, "The server does not know this job any more.",
                "Start it again.",
            )  # fmt: skip
            return None
        return job

    def _adopt(self, job: Job, visitor: bytes) -> None:
        # Whoever knows the key, 16 random bytes, is whoever submitted the job.
        job.visitor = visitor
        job.orphaned_at = None

    def _send_again(self, job: Job) -> None:
        for index in sorted(job.kept):
            for parts in job.kept[index]:
                self._send_to_owner(job, parts)
        if job.final is not None:
            self._send_to_owner(job, job.final)

    # What the worker does

    def worker_ready(self) -> None:
        """Take in that the worker is warm."""
        self.ready = True
        self._start_waiting()

    def worker_lost(self, why: str, now: float) -> None:
        """Take in that the worker is gone: what it did fails, what waits goes on waiting."""
        self.ready = False
        for job in [job for job in self.jobs.values() if job.state is State.RUNNING]:
            self.fail(job.key, Code.WORKER_LOST, why, "Try again; the server started anew.", now)

    def fail(self, key: bytes, code: Code, what: str, remedy: str, now: float) -> None:
        """End a job with an error."""
        job = self.jobs.get(key)
        if job is not None and job.state is not State.ENDED:
            message = error_message(key, code, what, remedy, code in RETRYABLE_CODES)
            self._end(job, encode(message), now)

    def pass_array(self, key: bytes, index: int, parts: Parts) -> None:
        """Pass one of a frame's arrays on to the client, and keep it until it is credited."""
        job = self.jobs.get(key)
        if job is None or job.state is not State.RUNNING:
            return
        if index >= job.received:
            job.kept.setdefault(index, []).append(parts)
        self._send_to_owner(job, parts)
        if job.stalled:
            self._start_waiting()

    def pass_progress(self, progress: Progress) -> None:
        """Pass on how far a job is."""
        job = self.jobs.get(progress.job)
        if job is not None and job.state is State.RUNNING:
            self._send_to_owner(job, encode(progress))

    def pass_final(self, key: bytes, parts: Parts, now: float, failed: bool) -> None:
        """Pass on a job's last message; what is not credited yet of a job that is done is kept."""
        job = self.jobs.get(key)
        if job is not None and job.state is State.RUNNING:
            self._end(job, parts, now, failed)

    def _end(self, job: Job, final: Parts, now: float, failed: bool = True) -> None:
        job.state = State.ENDED
        job.final = final
        job.ended_at = now
        if failed:
            job.kept.clear()
        self._let_go()
        for digest in job.request.digests:
            self.blobs.release(digest)
        self._send_to_owner(job, final)
        self._start_waiting()

    def _let_go(self) -> None:
        """Keep no more of jobs that have ended than the limit; the first to come is let go first.

        All of it was sent: only who was cut off meanwhile has to start such a job again.
        """
        over = self.kept_bytes() - self.limits.kept_bytes
        for job in self.jobs.values():
            if over <= 0:
                return
            if job.state is State.ENDED:
                over -= job.kept_bytes
                job.kept.clear()

    def _start_waiting(self) -> None:
        if not self.ready:
            return
        running = [job for job in self.jobs.values() if job.state is State.RUNNING]
        active = sum(not job.stalled for job in running)
        places = min(self.limits.active_jobs - active, self.limits.running_jobs - len(running))
        queued = [job for job in self.jobs.values() if job.state is State.QUEUED]
        for job in queued[: max(0, places)]:
            job.state = State.RUNNING
            job.granted = self._limit(job)
            self.effects.append(Order(Start(job.key, job.kind, dict(job.table), job.granted)))

    # What time and the network do

    def gone(self, visitor: bytes, now: float) -> None:
        """Take in that a visitor is gone; its jobs wait for it a while."""
        for job in self.jobs.values():
            if job.visitor == visitor:
                job.visitor = None
                job.orphaned_at = now

    def tick(self, now: float) -> None:
        """Drop what nobody came back for, forget what ended long ago."""
        limits = self.limits
        wanted = any(job.state is State.QUEUED for job in self.jobs.values())
        patience = limits.wanted_orphan_seconds if wanted else limits.orphan_seconds
        for job in list(self.jobs.values()):
            alone_for = now - job.orphaned_at if job.orphaned_at is not None else 0.0
            if alone_for > patience and job.state is not State.ENDED:
                if job.state is State.RUNNING:
                    self.effects.append(Order(Stop(job.key)))
                self._end(job, encode(Cancelled(job.key)), now)
            ended_for = now - job.ended_at if job.ended_at is not None else 0.0
            old = ended_for > limits.remembered_seconds
            if ended_for > limits.orphan_seconds:
                job.kept.clear()
            if old or (alone_for > limits.orphan_seconds and job.state is State.ENDED):
                del self.jobs[job.key]
        ended = [job.key for job in self.jobs.values() if job.state is State.ENDED]
        for key in ended[: max(0, len(ended) - limits.remembered_jobs)]:
            del self.jobs[key]

    def kept_bytes(self) -> int:
        """Return how many bytes of frames are kept for clients that have not credited them."""
        return sum(job.kept_bytes for job in self.jobs.values())

    def working(self) -> list[bytes]:
        """Return the keys of the jobs that have not ended."""
        return [key for key, job in self.jobs.items() if job.state is not State.ENDED]

    def refuse(self, visitor: bytes, job: bytes | None, code: Code, what: str, remedy: str) -> None:
        """Answer a visitor with an error."""
        wait = self.limits.retry_after_seconds if code is Code.BUSY else 0.0
        self.send(visitor, error_message(job, code, what, remedy, code in RETRYABLE_CODES, wait))

    def send(self, visitor: bytes, message: Message) -> None:
        """Answer a visitor."""
        self.effects.append(Send(visitor, encode(message)))

    def _send_to_owner(self, job: Job, parts: Parts) -> None:
        if job.visitor is not None:
            self.effects.append(Send(job.visitor, parts))
