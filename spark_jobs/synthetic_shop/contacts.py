"""One contact from its opening to its rating, and its true variables."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from spark_jobs.synthetic_shop import phrases
from spark_jobs.synthetic_shop.effects import dissatisfaction
from spark_jobs.synthetic_shop.goods import DEAR_FROM, REASONS, Item, Reason
from spark_jobs.synthetic_shop.rhythm import count, spread
from spark_jobs.synthetic_shop.shop_model import Customer, Order, Shop, Story
from spark_jobs.synthetic_shop.staff import NEW, Agent, on_duty

#: The promised time of an answer by channel, and the share of each channel.
PROMISED = {"chat": 2 * MINUTE, "phone": MINUTE, "email": 4 * HOUR}
CHANNEL_SHARES = {"chat": 0.6, "phone": 0.15, "email": 0.25}
SPREAD_OF_ANSWERS = 0.9
BOT_GREETS = 0.6
#: Some customers wait for hours or days before an answer, and write again; some of those never get an answer.
LEFT, LEFT_LATER, NEVER_ANSWERED = 0.12, 0.03, 0.15
LEFT_FOR, SHORTEST_LEFT, LONGEST_LEFT = 9 * HOUR, 90 * MINUTE, 4 * DAY
WRITES_AGAIN_AFTER, LESS_AND_LESS = 30 * MINUTE, 3
TURNS = 1.1  # more questions after the first answer
NOTED = 0.12
TRANSFERRED = 0.1
REOPENED = 0.09
COMPLAINED = {False: 0.01, True: 0.22}
RATED = 0.62
RATED_AFTER = 3 * HOUR
RATED_WITHIN = 30 * HOUR
BAD_RATINGS = {1: 0.65, 2: 0.15, 3: 0.2}
GOOD_RATINGS = {4: 0.2, 5: 0.8}
REMARKS = 0.35


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact's events, and their causes: the variables of every effect, and the outcome."""

    events: list[InteractionEvent]
    variables: dict[str, float]
    dissatisfied: bool
    rated: bool


def contact(shop: Shop, customer: Customer, at: int, number: int) -> Contact:
    """One contact that begins at an instant; its rating is added to the customer."""
    return _Telling(shop, customer, number).whole(at)


class _Telling:
    """A contact in the making."""

    def __init__(self, shop: Shop, customer: Customer, number: int) -> None:
        name = f"c-{customer.customer_id}-{number}"
        self._shop, self._customer, self._random = shop, customer, customer.random
        self._story = Story(shop, customer, name, conversation_id=name)
        self._left = 0  # the longest wait of customers without an answer
        (self._channel,) = self._random.choices(list(CHANNEL_SHARES), list(CHANNEL_SHARES.values()))

    def whole(self, at: int) -> Contact:
        order = self._customer.last_order(at)
        item = order.item if order else self._random.choice(self._shop.items)  # bought before the world began
        (reason,) = self._random.choices(REASONS, [reason.weight for reason in REASONS])
        opened = self._open(at, reason, item, order)
        agent = self._agent(opened)
        answered = self._first_answer(opened, agent)
        now, last, reopened = self._story.last, agent, False
        if answered is not None:
            now, last = self._turns(answered, agent)
            now, reopened = self._resolve(now, last)
        asked = (answered or now) - opened
        variables = {
            "slow_first_response": min(3.0, max(-2.0, math.log(asked / PROMISED[self._channel]))),
            "left_waiting": min(4.0, math.log(max(HOUR, self._left) / HOUR)),
            "agent_weakness": last.weakness,
            "new_agent": float(last.agent_tenure == NEW),
            "hard_category": float(reason.hard),
            "transferred": float(last is not agent),
            "reopened": float(reopened),
            "earlier_dissatisfied": float(self._customer.was_dissatisfied(opened)),
            "flawed_product": float(reason.about_order and item.flawed),
            "dear_product": float(item.price_minor >= DEAR_FROM),
            "new_shop": float(self._shop.new),
        }
        dissatisfied = self._random.random() < dissatisfaction(variables)
        now = self._complain(now, dissatisfied)
        return Contact(self._story.events, variables, dissatisfied, self._rate(now, dissatisfied))

    def _open(self, at: int, reason: Reason, item: Item, order: Order | None) -> int:
        return self._story.tell(
            "conversation_opened",
            at,
            channel=self._channel,
            category=reason.category,
            subcategory=self._random.choice(reason.subcategories),
            product=item.product,
            sku=item.sku,
            order_id=order.order_id if order and reason.about_order else None,
            amount_minor=item.price_minor,
            currency=self._shop.currency,
            text=self._say(phrases.OPENING[self._shop.language][reason.category]).format(item=item.name),
        )

    def _agent(self, at: int) -> Agent:
        return self._random.choice(on_duty(self._shop.staff, instant=at, utc_offset=self._shop.utc_offset))

    def _first_answer(self, opened: int, agent: Agent) -> int | None:
        """The instant of the first answer; None for a contact without an answer."""
        at = opened
        if self._channel == "chat" and self._random.random() < BOT_GREETS:
            at = self._story.tell("bot_message", at + 2 * SECOND, text=self._say(phrases.BOT[self._shop.language]))
        assigned = self._story.tell("assigned", at + spread(self._random, 5 * SECOND), **agent.profile())
        if self._random.random() < LEFT:
            answered = self._leave_waiting(opened)
            if self._random.random() < NEVER_ANSWERED:
                return None
        else:
            answered = opened + spread(self._random, PROMISED[self._channel] * agent.slowness, SPREAD_OF_ANSWERS)
        return self._answer(max(answered, assigned + SECOND), agent)

    def _leave_waiting(self, since: int) -> int:
        """Hours or days without an answer, in which the customer writes again, ever more rarely; returns its end."""
        waits = min(LONGEST_LEFT, max(SHORTEST_LEFT, spread(self._random, LEFT_FOR, 1.0)))
        self._left = max(self._left, waits)
        pause = WRITES_AGAIN_AFTER
        at = since + spread(self._random, pause)
        while at < since + waits:
            at = self._ask(at, phrases.STILL_WAITING)
            pause *= LESS_AND_LESS
            at += spread(self._random, pause)
        return since + waits

    def _turns(self, at: int, agent: Agent) -> tuple[int, Agent]:
        """Questions and answers; a transfer gives the rest to another agent."""
        transferred = self._random.random() < TRANSFERRED
        for turn in range(count(self._random, TURNS) + transferred):
            at = self._ask(at + spread(self._random, self._pace()), phrases.FOLLOW_UP)
            if transferred and turn == 0:
                at, agent = self._transfer(at, agent)
            if self._random.random() < NOTED:
                note = self._say(phrases.NOTE[self._shop.language])
                at = self._story.tell(
                    "internal_note", at + spread(self._random, 20 * SECOND), text=note, **agent.profile()
                )
            left = self._random.random() < LEFT_LATER
            answered = self._leave_waiting(at) if left else at + spread(self._random, self._pace() * agent.slowness)
            at = self._answer(answered, agent)
        return at, agent

    def _transfer(self, at: int, agent: Agent) -> tuple[int, Agent]:
        others = [
            other
            for other in on_duty(self._shop.staff, instant=at, utc_offset=self._shop.utc_offset)
            if other is not agent
        ]
        other = self._random.choice(others) if others else agent
        if other is not agent:
            at = self._story.tell("status_changed", at + spread(self._random, 15 * SECOND))
            at = self._story.tell("assigned", at + spread(self._random, 30 * SECOND), **other.profile())
        return at, other

    def _resolve(self, at: int, agent: Agent) -> tuple[int, bool]:
        at = self._story.tell("resolved", at + spread(self._random, MINUTE), **agent.profile())
        if self._random.random() >= REOPENED * math.exp(0.3 * agent.weakness):
            return at, False
        at = self._story.tell("reopened", at + spread(self._random, 2 * HOUR))
        at = self._ask(at + spread(self._random, 20 * SECOND), phrases.COMING_BACK)
        at = self._answer(at + spread(self._random, self._pace() * agent.slowness), agent)
        return self._story.tell("resolved", at + spread(self._random, MINUTE), **agent.profile()), True

    def _complain(self, at: int, dissatisfied: bool) -> int:
        if self._random.random() >= COMPLAINED[dissatisfied]:
            return at
        words = self._say(phrases.COMPLAINT[self._shop.language])
        return self._story.tell("complaint_filed", at + spread(self._random, 10 * MINUTE), text=words)

    def _rate(self, at: int, dissatisfied: bool) -> bool:
        """Some customers rate, mostly within a day."""
        if self._random.random() >= RATED:
            return False
        shares = BAD_RATINGS if dissatisfied else GOOD_RATINGS
        (rating,) = self._random.choices(list(shares), list(shares.values()))
        said = self._random.random() < REMARKS
        remark = self._say(phrases.REMARK[self._shop.language][dissatisfied]) if said else None
        after = min(spread(self._random, RATED_AFTER, 1.0), RATED_WITHIN)
        self._customer.ratings.append((self._story.tell("rated", at + after, rating=rating, text=remark), dissatisfied))
        return True

    def _ask(self, at: int, words: Mapping[str, tuple[str, ...]]) -> int:
        return self._story.tell("customer_message", at, text=self._say(words[self._shop.language]))

    def _answer(self, at: int, agent: Agent) -> int:
        words = self._say(phrases.ANSWER[self._shop.language])
        return self._story.tell("agent_message", at, text=words, **agent.profile())

    def _pace(self) -> int:
        """The usual time of an answer in this channel once the conversation runs."""
        return HOUR if self._channel == "email" else 45 * SECOND

    def _say(self, words: tuple[str, ...]) -> str:
        return self._random.choice(words)
