"""Judging models' answers, stored verbatim and reused for equal questions.

A question is everything that determines an answer: the provider, the model, the text, the schema and the
pictures' bytes in their order. The run is not part of it, so that an answer serves every later run that would
ask the same.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tasks.judging.forms import is_declined
from tasks.judging.replies import Reply, reply_of
from tasks.ledger.database import Database, reconnecting
from tasks.ledger.many_ids import in_parts
from tasks.ledger.order_rows import order_record
from tasks.ledger.schema import answers, orders
from tasks.order import OrderState

LOOKED_BACK = 200
"""How many of the latest questions with log-probabilities say whether a model gives them."""
NO_REPLY: Mapping[OrderState, str] = {
    "planned": "it was not asked",
    "sent": "its answer is still pending",
    "refused": "the model refused",
    "failed": "the provider failed",
    "unknown": "no answer",
}


@reconnecting
class Answers:
    """The stored answers of one ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, questions: Sequence[str]) -> dict[str, str]:
        """Find the answers to questions, of any run; the first answer counts.

        Args:
            questions: ``Order.question`` of each.

        Returns:
            Question to the answer's text; unanswered questions are left out.
        """
        found: dict[str, str] = {}
        with self._database.read() as connection:
            for some in in_parts(questions):
                query = sa.select(answers).where(answers.c.question.in_(some))
                for row in connection.execute(query.order_by(answers.c.answer_id.desc())):
                    found[row.question] = row.content
        return found

    def replies(self, run_id: str, questions: Sequence[str]) -> dict[str, Reply]:
        """Return the answers to questions, of any run, or why this run has none.

        Args:
            run_id: The run whose orders say why there is no answer.
            questions: ``Order.question`` of each.
        """
        found = {question: reply_of(content) for question, content in self.find(questions).items()}
        wanted = set(questions) - found.keys()
        of_run = (orders.c.run_id == run_id) & (orders.c.stage == "judge")
        with self._database.read() as connection:
            rows = connection.execute(sa.select(orders).where(of_run).order_by(orders.c.attempt)).all()
        for row in rows:
            question = order_record(row).order.question
            if question in wanted:
                why = (
                    f"{NO_REPLY[row.state]}: {row.error_message}"
                    if row.error_message
                    else NO_REPLY[row.state]
                )
                found[question] = Reply(None, why)
        return found

    def gives_log_probabilities(self, provider: str, model: str) -> bool | None:
        """Return whether a judging model gave log-probabilities when it was last asked for them.

        Args:
            provider: The provider's name.
            model: The judging model's id.

        Returns:
            ``None`` if it never was, or if nothing came that says so.
        """
        asked = (orders.c.stage == "judge") & (orders.c.provider == provider)
        ended = orders.c.state.in_(("received", "failed"))
        query = (
            sa.select(orders.c.parameters, orders.c.state, orders.c.error_code, answers.c.content)
            .outerjoin(answers, answers.c.order_id == orders.c.order_id)
            .where(asked & ended & sa.cast(orders.c.parameters, sa.Text).contains('"logprobs"'))
            .order_by(orders.c.sent_at.desc())
            .limit(LOOKED_BACK)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            if row.parameters.get("model") != model:
                continue
            if row.state == "received" and row.content is not None:
                return bool(reply_of(row.content).yes_at)
            if is_declined(row.parameters, row.error_code):
                return False
        return None


def insert_answers(connection: Connection, contents: Mapping[str, str]) -> None:
    """Store the answers to orders that are being settled, in the caller's transaction.

    Args:
        connection: The transaction.
        contents: The answers' texts by order id; NUL characters, which PostgreSQL rejects, are removed.
    """
    for ids in in_parts(list(contents)):
        rows = connection.execute(sa.select(orders).where(orders.c.order_id.in_(ids))).all()
        new = [
            {
                "order_id": row.order_id,
                "question": order_record(row).order.question,
                "content": contents[row.order_id].replace("\0", ""),
            }
            for row in rows
        ]
        connection.execute(answers.insert(), new)
