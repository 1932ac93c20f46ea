"""The measurements: each compares the bot with the bare library, or a bare client, in the same minute."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import mean, median, quantiles

from bench.model import Model, read_bare
from bench.report import Row, compared
from bench.stand import Stand
from bench.telegram import OTHERS, PEOPLE, Answer

NOTE = "/note_add купить хлеба, молока и две лампочки в прихожую"
QUESTION = "/ask 1"  # the model waits, then answers with one word
QUESTIONS_EACH = 2
WAITING = 16  # people
SHORT_ANSWER = "20"  # words
WARM_UP = 200  # updates
PAUSE_S = 0.01  # between one idle /note_add and the next
MOST_MB = 80
LEAK_MB = 1  # growth by 10,000 updates; less is noise of the allocator


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything to measure."""

    starts: int
    updates: int  # before memory is measured
    segments: int  # of these updates, in turn with the echo's
    further: int  # how many times as many updates follow, to measure growth
    notes: int  # one after another, of each kind
    words: tuple[int, ...]  # of each answer that is streamed alone
    streams: int  # answers at once
    stream_words: int  # of the shortest of them


# The lengths differ so that answers end at all moments between two edits.
FULL = Sizes(5, 10_000, 4, 2, 1000, (230, 242, 254, 266), 32, 220)
QUICK = Sizes(2, 1000, 2, 2, 100, (60,), 32, 60)


@dataclass(slots=True)
class Work:
    """The figures of one bot that was kept busy, segment by segment."""

    rates: list[float] = field(default_factory=list)  # updates per second
    cpu_ms: list[float] = field(default_factory=list)  # per update


class Bench:
    """The two bots, the model and the sizes; each measurement returns rows of the table."""

    def __init__(self, bot: Stand, echo: Stand, model: Model, sizes: Sizes) -> None:
        self.bot = bot
        self.echo = echo
        self.model = model
        self.sizes = sizes
        self.growth_mb: list[float] = []  # by each further batch of updates

    def starts(self) -> list[Row]:
        """Start both bots in turn, and leave them running."""
        times: dict[Stand, list[float]] = {self.echo: [], self.bot: []}
        for _ in range(self.sizes.starts):
            for stand, seconds in times.items():
                stand.stop()
                seconds.append(stand.start())
        what = "from process start to first getUpdates, s"
        return [compared(what, median(times[self.bot]), median(times[self.echo]), digits=2)]

    def throughput(self) -> list[Row]:
        """Keep both bots busy in turn, and compare updates per second and CPU time."""
        bot, echo = Work(), Work()
        turns = [(self.echo, echo), (self.bot, bot)]
        for stand, _ in turns:
            _keep_busy(stand, Work(), WARM_UP)
        for _ in range(self.sizes.segments):
            for stand, work in turns:
                _keep_busy(stand, work, self.sizes.updates // self.sizes.segments)
            turns.reverse()
        return [
            compared("updates a second, 50 chats", mean(bot.rates), mean(echo.rates), digits=0, at_least=0.5),
            compared("CPU of an update, ms", mean(bot.cpu_ms), mean(echo.cpu_ms), digits=2),
        ]

    def memory(self) -> list[Row]:
        """Measure memory, then handle further updates and see whether it grows."""
        held, echo = [self.bot.memory_mb()], self.echo.memory_mb()
        for _ in range(self.sizes.further):
            self.bot.telegram.talk(NOTE, self.sizes.updates)
            self.bot.telegram.forget()
            held.append(self.bot.memory_mb())
        self.growth_mb = [after - before for before, after in pairwise(held)]
        row = compared(f"memory after {self.sizes.updates} updates, MB", held[0], echo)
        return [
            replace(row, aim=f"< {MOST_MB} MB", met=held[0] < MOST_MB),
            Row(
                f"its growth by each further {self.sizes.updates}, MB",
                ", ".join(f"{growth:.2f}" for growth in self.growth_mb),
                aim="none",
                met=not self.leaks,
            ),
        ]

    @property
    def leaks(self) -> bool:
        """Whether memory grew each time: a cache that is filled once grows in single steps."""
        return min(self.growth_mb) > LEAK_MB

    def latency(self) -> list[Row]:
        """Add notes one by one: with both bots idle, then to ours with a hundred questions in flight."""
        half = self.sizes.notes // 2
        echo, idle = self._one_by_one(self.echo, half), self._one_by_one(self.bot, half)
        self.model.hold()
        for _ in range(QUESTIONS_EACH):
            self.bot.telegram.talk(QUESTION, len(PEOPLE))
        self.model.await_questions(QUESTIONS_EACH * len(PEOPLE))
        busy = self._one_by_one(self.bot, 2 * half)
        self.model.release()
        self.bot.telegram.await_answers(QUESTIONS_EACH * len(PEOPLE))
        idle += self._one_by_one(self.bot, half)
        echo += self._one_by_one(self.echo, half)
        return [
            compared("median, idle, ms", median(idle), median(echo)),
            compared("p99, idle, ms", _p99(idle), _p99(echo)),
            compared("median, 100 questions in flight, ms; against ours idle", median(busy), median(idle)),
            compared(
                "p99, 100 questions in flight, ms; against ours idle", _p99(busy), _p99(idle), at_most=1.5
            ),
        ]

    def crowds(self) -> list[Row]:
        """Add notes one by one: idle, then while others wait for a silent service, then while others ask."""
        count = self.sizes.notes // 2
        idle = self._one_by_one(self.bot, count)
        self.model.fall_silent()
        self.bot.telegram.refresh_at_once(WAITING)
        self.model.await_readers()
        waiting = self._one_by_one(self.bot, count)
        self.model.release()
        self.bot.telegram.ask_at_once(SHORT_ANSWER)
        asking = self._one_by_one(self.bot, count)
        self.bot.telegram.await_answers(len(OTHERS))
        return [
            compared(what, _p99(busy), _p99(idle), at_most=2)
            for what, busy in (
                (f"p99, {WAITING} people wait for a silent service, ms; against ours idle", waiting),
                (f"p99, {len(OTHERS)} people ask at once, ms; against ours idle", asking),
            )
        ]

    def _one_by_one(self, stand: Stand, count: int) -> list[float]:
        """Return the milliseconds from handing out each update to its reply."""
        talk = stand.telegram.talk_in_turn(NOTE, count, PAUSE_S)
        return [1000 * latency for latency in talk.latencies]

    # Answers

    def one_answer(self) -> list[Row]:
        """Stream answers, one at a time, to our bot and a bare client side by side."""
        bare, ours = [], []
        with ThreadPoolExecutor() as pool:
            for words in self.sizes.words:
                reading = pool.submit(read_bare, self.model.address(), str(words))
                ours += self.bot.telegram.ask([str(words)])
                bare.append(reading.result())
        return _about(ours, bare)

    def many_answers(self) -> list[Row]:
        """Stream many answers at once, first to bare clients, then to our bot."""
        questions = [str(self.sizes.stream_words + 2 * number) for number in range(self.sizes.streams)]
        address = self.model.address()
        with ThreadPoolExecutor(len(questions)) as pool:
            bare = list(pool.map(lambda question: read_bare(address, question), questions))
        return _about(self.bot.telegram.ask(questions), bare)


def _keep_busy(stand: Stand, work: Work, count: int) -> None:
    before = stand.cpu_s()
    talk = stand.telegram.talk(NOTE, count)
    work.cpu_ms.append(1000 * (stand.cpu_s() - before) / count)
    work.rates.append(count / talk.seconds)
    stand.telegram.forget()


def _about(ours: list[Answer], bare: list[tuple[float, float]]) -> list[Row]:
    firsts, lasts = zip(*bare, strict=True)
    first, last = [answer.first_word for answer in ours], [answer.last_word for answer in ours]
    rows = [
        compared("first word, s (mean)", mean(first), mean(firsts), digits=2),
        compared("last word, s (mean)", mean(last), mean(lasts), digits=2, at_most=1.05),
    ]
    if len(ours) > 1:
        rows.append(compared("last word, s (latest)", max(last), max(lasts), digits=2))
    return [*rows, Row("edits an answer", f"{mean(answer.edits for answer in ours):.1f}")]


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]
