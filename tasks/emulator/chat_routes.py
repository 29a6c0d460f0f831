"""The chat completions endpoint: a model that reads pictures and answers in text or JSON.

The steps are body, fault, validation, charge, waiting, judging, answer, as with pictures. Source: API
reference of chat completions, checked 2026-11-22.
"""

import asyncio
import json
import random
import re
import time
from dataclasses import replace
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tasks.emulator.bill import BillEntry
from tasks.emulator.bodies import read_json
from tasks.emulator.chat_models import ChatModel, text_tokens
from tasks.emulator.chat_request import ChatRequest, read_chat
from tasks.emulator.delivery import SlowBody, TruncatedBody
from tasks.emulator.fault_kinds import ANSWER_KINDS, BODY_KINDS, JUDGE_KINDS, is_billed
from tasks.emulator.faults import FailureKind, FaultRule
from tasks.emulator.log_probabilities import log_probabilities
from tasks.emulator.question_writer import write_questions
from tasks.emulator.state import EmulatorState, text_of
from tasks.emulator.vision_judge import VisionJudge

CHAT_KINDS: frozenset[FailureKind] = ANSWER_KINDS | BODY_KINDS | JUDGE_KINDS | frozenset({"missing_usage"})
LATENCY_S = 2.0
SAYS_NO_ORDERS = re.compile(r"\btext\b[^.]*\b(?:never|not|no)\b[^.]*\binstructions?\b", re.I)
"""A request's sentence that text in the picture is no instruction."""
REFUSAL = "I'm sorry, I can't assist with that."


class ChatRoutes:
    """The chat endpoint.

    Args:
        emulator: What all routes share.
    """

    def __init__(self, emulator: EmulatorState) -> None:
        self._emulator = emulator

    async def complete(self, request: Request, entry: BillEntry) -> Response:
        """``POST /v1/chat/completions``."""
        emulator = self._emulator
        fields = await read_json(request)
        entry.model, entry.lane = text_of(fields.get("model")), "interactive"
        entry.prompt = _texts(fields.get("messages"))
        rule = emulator.fault_book.choose(entry.path, entry.prompt, request.method, CHAT_KINDS)
        entry.fault = rule.kind if rule else None
        if rule and not is_billed(rule) and (stand_in := _stand_in(emulator, rule, entry)):
            return stand_in
        asked = read_chat(fields, gives_logprobs=emulator.settings.judge_logprobs)
        answer = await anyio.to_thread.run_sync(self._answer, asked, entry, rule)
        entry.usage = answer["usage"]
        spent = answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"]
        entry.charged_nanousd = self._priced(asked.model).charge_nanousd(*spent)
        await asyncio.sleep(emulator.settings.pace * LATENCY_S)
        if rule and (stand_in := _stand_in(emulator, rule, entry)):
            return stand_in
        return _deliver(answer, rule)

    def _priced(self, model: ChatModel) -> ChatModel:
        """Replace the model's prices by those in the settings, if any."""
        prices = self._emulator.settings.judge_prices.get(model.id)
        return replace(model, input_nanousd=prices[0], output_nanousd=prices[1]) if prices else model

    def _answer(self, asked: ChatRequest, entry: BillEntry, rule: FaultRule | None) -> dict[str, Any]:
        settings, kind = self._emulator.settings, rule.kind if rule else None
        vision_judge = VisionJudge(
            [picture.data for picture in asked.pictures],
            settings.seed,
            settings.judge_noise,
            settings.judge_first_bias,
            settings.judge_error_rate,
            settings.judge_yes_bias,
            settings.judge_swayed_though_told_rate
            if SAYS_NO_ORDERS.search(asked.text)
            else settings.judge_swayed_rate,
        )
        chance = random.Random(f"{settings.seed} {entry.client_request_id or entry.number}")
        is_refused = chance.random() < settings.judge_refusal_rate or kind == "judge_refusal"
        content = REFUSAL if is_refused else _content(asked, vision_judge)
        if not is_refused and (chance.random() < settings.judge_broken_rate or kind == "judge_broken"):
            content = content[: len(content) // 2]
        is_cut = text_tokens(content) > asked.most_tokens
        if is_cut:
            content = content[: 4 * max(0, asked.most_tokens - 6)]
        completion = _completion(asked, entry, content, is_refused=is_refused, is_cut=is_cut)
        if asked.top_logprobs is not None and not is_refused:
            found = log_probabilities(content, vision_judge.certainties, asked.top_logprobs)
            completion["choices"][0]["logprobs"] = {"content": found, "refusal": None}
        return completion


def _texts(messages: object) -> str | None:
    """Collect the texts of messages of any shape, for fault rules and the bill."""
    parts: list[Any] = []
    for message in messages if isinstance(messages, list) else []:
        content = message.get("content") if isinstance(message, dict) else None
        parts += content if isinstance(content, list) else [{"text": content}]
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return "\n".join(texts) or None


def _content(asked: ChatRequest, vision_judge: VisionJudge) -> str:
    if asked.schema is not None and (written := write_questions(asked.text, asked.schema)):
        return json.dumps(written)
    if asked.schema is not None:
        return json.dumps(vision_judge.fill(asked.schema))
    return str(vision_judge.fill({"type": "string"}))


def _completion(
    asked: ChatRequest, entry: BillEntry, content: str, *, is_refused: bool, is_cut: bool
) -> dict[str, Any]:
    sent, made = asked.input_tokens, min(text_tokens(content), asked.most_tokens)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if is_refused else content,
        "refusal": content if is_refused else None,
        "annotations": [],
    }
    return {
        "id": f"chatcmpl-{entry.request_id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.model.id,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": "length" if is_cut else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": sent,
            "completion_tokens": made,
            "total_tokens": sent + made,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
    }


def _stand_in(emulator: EmulatorState, rule: FaultRule, entry: BillEntry) -> Response | None:
    if rule.kind == "empty_data":
        usage = {"usage": entry.usage} if entry.charged_nanousd else {}
        return JSONResponse({"object": "chat.completion", "choices": [], **usage})
    return emulator.stand_in(rule, entry)


def _deliver(answer: dict[str, Any], rule: FaultRule | None) -> Response:
    if rule and rule.kind == "slow_body":
        return SlowBody(json.dumps(answer).encode(), rule.duration_s)
    if rule and rule.kind == "truncated_body":
        return TruncatedBody(json.dumps(answer), media_type="application/json")
    if rule and rule.kind == "missing_usage":
        del answer["usage"]
    return JSONResponse(answer)
