"""The fault suite's checker, which has to believe what is true and nothing else, and its schedules."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import unittest
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

from harness import CHECKOUT
from honest_shop import MISSING, Call, Shop
from devkit.chaos.checker import Charge, FinalState, check
from devkit.chaos.history import Operation
from devkit.chaos.load import CLIENTS, OPENING_AMOUNT, deposit_amounts
from devkit.chaos.mutations import all_mutations
from devkit.chaos.schedule import DECK, FAULTS_AT_ONCE_MAX, KINDS, Card, make_schedule

USER = "00000000-0000-0000-0000-00000000cafe"


class CheckerTests(unittest.TestCase):
    """Each test lets a shop do its work, tells a lie about it, and wants the checker to say which rule was broken."""

    def setUp(self) -> None:
        self.shop = Shop()
        self.shop.at_once(self.shop.opening(USER))
        self.shop.at_once(self.shop.deposit(USER, 1000))

    def ordered(self, amount: int = 10, **options: Any) -> str:
        return self.shop.at_once(self.shop.order(USER, amount, **options))["id"]

    def paid(self, amount: int = 10) -> str:
        order = self.ordered(amount)
        self.shop.decide(order)
        return order

    def refunded(self, amount: int = 10) -> str:
        order = self.paid(amount)
        self.shop.at_once(self.shop.cancel(order))
        self.shop.refund(order)
        return order

    def breaches(self, final: FinalState | None = None) -> list[str]:
        return [str(breach) for breach in check(self.shop.operations, final or self.shop.final())]

    def assert_caught(self, rule: str, final: FinalState | None = None, *, alone: bool = True) -> None:
        """Asserts that a rule is found broken, and no other unless it has to be."""
        rules = {breach.rule for breach in check(self.shop.operations, final or self.shop.final())}
        self.assertIn(rule, rules)
        if alone:
            self.assertEqual(rules, {rule})

    def changed(self, **changes: Any) -> FinalState:
        return replace(self.shop.final(), **changes)

    # What is true

    def test_a_shop_that_keeps_its_promises_is_believed(self) -> None:
        refunded, paid, unpaid = self.refunded(), self.paid(), self.ordered(100_000)
        cancelled, keyed = self.ordered(), self.ordered(has_own_id=False)
        stranger = self.shop.at_once(self.shop.order("somebody", 5))["id"]
        self.shop.at_once(self.shop.cancel(cancelled))
        self.shop.settle()
        for order in (refunded, paid, unpaid, cancelled, keyed, stranger):
            self.shop.at_once(self.shop.look(order))
            self.shop.at_once(self.shop.timeline(order))
        for read in (self.shop.account, self.shop.statement, self.shop.list):
            self.shop.at_once(read(USER))
        self.assertEqual(self.breaches(), [])

    def test_whatever_has_no_answer_may_have_been_done_or_not(self) -> None:
        for is_done in (True, False):
            calls = [self.shop.opening(f"user {is_done}"), self.shop.deposit(USER, 20 + is_done)]
            calls += [self.shop.order(USER, 30), self.shop.order(USER, 40, has_own_id=False)]
            calls += [self.shop.cancel(self.ordered())]
            for call in calls:
                if is_done:
                    self.shop.act(call)
                self.shop.end(call, is_answered=False)
        self.shop.settle()
        self.assertEqual(self.breaches(), [])

    def test_calls_that_overlap_may_happen_in_any_order(self) -> None:
        for seed in range(150):
            with self.subTest(seed=seed):
                shop = _concurrent_history(random.Random(seed))
                self.assertEqual([str(breach) for breach in check(shop.operations, shop.final())], [])

    def test_reads_are_believed_if_and_only_if_they_fit_into_some_order(self) -> None:
        """Random reads of a random ledger, compared with a search through all orders."""
        believed = 0
        for seed in range(600):
            with self.subTest(seed=seed):
                operations, final, fits = _random_reads(random.Random(seed))
                believed += fits
                rules = {breach.rule for breach in check(operations, final)} & {"real time"}
                self.assertEqual(rules, set() if fits else {"real time"})
        self.assertGreater(min(believed, 600 - believed), 60, "both happen often")

    def test_no_history_is_believed_that_was_changed(self) -> None:
        """What was there when an operation of an honest shop returned is taken away, one thing at a time."""
        dice = random.Random(7)
        shop = _concurrent_history(dice)
        final = shop.final()
        for user, entries in final.statements.items():
            for index in range(len(entries)):
                without = {**final.statements, user: [*entries[:index], *entries[index + 1 :]]}
                self.assertNotEqual(check(shop.operations, replace(final, statements=without)), [])
        for index in range(len(final.orders)):
            without = [*final.orders[:index], *final.orders[index + 1 :]]
            self.assertNotEqual(check(shop.operations, replace(final, orders=without)), [])
        for index in range(len(final.charges)):
            without = [*final.charges[:index], *final.charges[index + 1 :]]
            self.assertNotEqual(check(shop.operations, replace(final, charges=without)), [])

    # What was lost, changed or made up

    def test_an_acknowledged_write_that_is_not_there(self) -> None:
        self.paid()
        final = self.shop.final()
        self.assert_caught("lost", replace(final, accounts={}, statements={}, orders=[]), alone=False)
        self.assert_caught("lost", self.changed(orders=[]), alone=False)
        self.assert_caught("lost", self.changed(statements={USER: []}), alone=False)

    def test_an_order_under_a_key_that_is_not_there(self) -> None:
        self.ordered(has_own_id=False)
        self.assert_caught("lost", self.changed(orders=[], rows={}))

    def test_something_that_nobody_asked_for(self) -> None:
        self.paid()
        asked, self.shop.operations = self.shop.operations, []
        self.assert_caught("uncalled", alone=False)
        for kind in ("open", "deposit", "order"):
            with self.subTest(kind):
                self.shop.operations = [operation for operation in asked if operation.kind != kind]
                self.assert_caught("uncalled", alone=False)

    def test_an_order_that_is_not_what_was_asked(self) -> None:
        order = self.paid()
        for name, value in {"amount": 11, "userId": "somebody", "description": "other", "currency": "EUR"}.items():
            with self.subTest(name):
                orders = [{**self.shop.orders[order], name: value}]
                self.assert_caught("changed", self.changed(orders=orders), alone=False)

    def test_a_deposit_with_another_balance_than_promised(self) -> None:
        self.shop.change("deposit", balance=999)
        self.assert_caught("changed")

    def test_an_account_that_was_opened_at_another_time_than_promised(self) -> None:
        self.shop.change("open", createdAt="2025-01-01T00:00:00Z")
        self.assert_caught("changed")

    def test_an_account_that_is_gone_with_all_that_was_on_it(self) -> None:
        self.shop.at_once(self.shop.opening("somebody"))
        self.shop.at_once(self.shop.account("somebody"))
        del self.shop.accounts["somebody"], self.shop.statements["somebody"]
        self.assert_caught("lost")
        self.assertEqual(len(self.breaches()), 2, "the promise, and what was seen of it")

    def test_an_order_without_an_answer_that_is_not_what_was_asked(self) -> None:
        call = self.shop.order(USER, 10)
        self.shop.act(call)
        self.shop.end(call, is_answered=False)
        self.shop.orders[call.about["order"]]["amount"] = 11
        self.shop.settle()
        self.assert_caught("changed")

    def test_a_currency_that_is_not_what_was_promised(self) -> None:
        self.ordered(has_own_id=False)
        self.shop.change("order", currency="EUR")
        self.shop.settle()
        self.assert_caught("changed")

    def test_entries_and_decisions_about_orders_that_are_not_there(self) -> None:
        self.shop.post(USER, "CHARGE", -10, orderId="nothing")
        self.assert_caught("uncalled")
        self.shop.statements[USER].pop()
        self.shop.accounts[USER].update(balance=1000)
        self.assert_caught("uncalled", self.changed(charges=[Charge("nothing", USER, 10, 1)]))

    # Once

    def test_an_order_that_is_listed_twice(self) -> None:
        order = self.paid()
        self.assert_caught("order twice", self.changed(orders=[self.shop.orders[order]] * 2, rows={}))

    def test_a_deposit_that_is_there_twice(self) -> None:
        self.shop.post(USER, "DEPOSIT", 1000, depositId="another")
        self.assert_caught("deposit twice")

    def test_a_deposit_without_an_answer_that_is_there_twice(self) -> None:
        call = self.shop.deposit(USER, 77)
        self.shop.act(call)
        self.shop.end(call, is_answered=False)
        self.shop.post(USER, "DEPOSIT", 77, depositId="another")
        self.assert_caught("deposit twice")

    def test_a_deposit_without_a_key_that_is_there_twice(self) -> None:
        call = self.shop.deposit(USER, 77, has_key=False)
        self.shop.at_once(call)
        self.assertEqual(self.breaches(), [])
        self.shop.act(call)
        self.assert_caught("deposit twice")

    def test_an_order_under_a_key_that_is_there_twice(self) -> None:
        order = self.ordered(has_own_id=False)
        self.shop.orders["another"] = {**self.shop.orders[order], "id": "another"}
        self.shop.settle()
        self.assert_caught("order twice")

    def test_an_order_that_is_charged_twice(self) -> None:
        order = self.paid()
        self.shop.post(USER, "CHARGE", -10, orderId=order)
        self.assert_caught("charge twice")

    def test_an_order_that_is_refunded_twice(self) -> None:
        order = self.refunded()
        self.shop.post(USER, "REFUND", 10, orderId=order)
        self.assert_caught("refund twice")

    def test_an_order_that_is_decided_twice(self) -> None:
        order = self.paid()
        self.assert_caught("decision", self.changed(charges=[Charge(order, USER, 10, 1)] * 2))

    # Charges and refunds

    def test_a_paid_order_without_a_charge(self) -> None:
        self.paid()
        self.assert_caught("charge", self.changed(statements={USER: self.shop.statements[USER][:1]}), alone=False)

    def test_a_cancelled_order_with_a_charge(self) -> None:
        order = self.ordered()
        self.shop.at_once(self.shop.cancel(order))
        self.shop.decide(order)
        self.shop.post(USER, "CHARGE", -10, orderId=order)
        self.assert_caught("charge")

    def test_a_charge_of_another_amount_or_user(self) -> None:
        order = self.paid()
        self.shop.statements[USER][-1].update(amount=-9, balance=991)
        self.shop.accounts[USER].update(balance=991)
        self.assert_caught("charge")
        self.shop.at_once(self.shop.opening("somebody"))
        self.shop.at_once(self.shop.deposit("somebody", 50))
        self.shop.statements[USER].pop()
        self.shop.accounts[USER].update(balance=1000)
        self.shop.post("somebody", "CHARGE", -10, orderId=order)
        self.shop.orders[order].update(updatedAt=self.shop.time())
        self.assert_caught("charge")

    def test_a_refund_that_did_not_come(self) -> None:
        order = self.refunded()
        self.assert_caught("refund", self.changed(statements={USER: self.shop.statements[USER][:2]}), alone=False)
        self.shop.statements[USER].pop()
        self.shop.accounts[USER].update(balance=990)
        self.assert_caught("refund")
        self.assertIn(order, "".join(self.breaches()))

    def test_a_refund_of_an_order_that_is_not_refunded(self) -> None:
        order = self.paid()
        self.shop.post(USER, "REFUND", 10, orderId=order)
        self.assert_caught("refund")

    def test_a_refund_before_the_charge(self) -> None:
        self.refunded(10)
        entries = self.shop.statements[USER]
        entries[1], entries[2] = (
            {**entries[2], "id": 2, "balance": 1010},
            {**entries[1], "id": 3, "balance": 1000},
        )
        self.assert_caught("refund", alone=False)

    def test_an_order_that_tells_of_its_payment_or_refund_before_the_ledger_does(self) -> None:
        order = self.paid()
        self.shop.orders[order]["updatedAt"] = self.shop.orders[order]["createdAt"]
        self.assert_caught("early")
        other = self.refunded()
        self.shop.orders[order]["updatedAt"] = self.shop.statements[USER][1]["createdAt"]
        self.assertEqual(self.breaches(), [])
        self.shop.orders[other]["updatedAt"] = self.shop.orders[other]["createdAt"]
        self.assert_caught("early")

    def test_a_refund_before_anybody_asked_for_it(self) -> None:
        order = self.refunded()
        early, late = self.shop.orders[order]["createdAt"], self.shop.orders[order]["cancelRequestedAt"]
        self.shop.statements[USER][-1]["createdAt"] = early
        self.assertLess(early, late)
        self.assert_caught("early")

    def test_a_decision_that_the_order_does_not_tell(self) -> None:
        order = self.paid()
        for charge in (Charge(order, USER, 10, 2), Charge(order, USER, 9, 1), Charge(order, "somebody", 10, 1)):
            with self.subTest(charge=charge):
                self.assert_caught("decision", self.changed(charges=[charge]))
        self.assert_caught("decision", self.changed(charges=[]))

    # Cancellations

    def test_an_acknowledged_cancellation_that_is_forgotten(self) -> None:
        order = self.ordered()
        self.shop.at_once(self.shop.cancel(order))
        del self.shop.orders[order]["cancelRequestedAt"]
        self.shop.decide(order)
        self.assert_caught("cancellation lost", alone=False)

    def test_a_cancellation_that_nobody_asked_for(self) -> None:
        order = self.refunded()
        self.shop.operations = [operation for operation in self.shop.operations if operation.kind != "cancel"]
        self.assert_caught("uncalled")
        self.assertIn(order, "".join(self.breaches()))

    def test_a_request_to_cancel_that_nobody_made_or_that_is_not_told(self) -> None:
        order = self.paid()
        self.shop.orders[order]["cancelRequestedAt"] = self.shop.time()
        self.assert_caught("uncalled", alone=False)
        del self.shop.orders[order]["cancelRequestedAt"]
        call = self.shop.cancel(self.refunded())
        self.shop.end(call, is_answered=False)
        del self.shop.orders[call.about["order"]]["cancelRequestedAt"]
        self.assert_caught("status")

    def test_a_cancellation_that_is_answered_as_if_nobody_had_asked(self) -> None:
        order = self.ordered()
        self.shop.at_once(self.shop.cancel(order))
        self.shop.change("cancel", cancelRequestedAt=None)
        self.shop.settle()
        self.assert_caught("answer")

    # What is not over

    def test_an_order_that_stays_new(self) -> None:
        self.ordered()
        self.assert_caught("unsettled", self.changed(waiting=1))
        self.assert_caught("forgotten")

    def test_a_refund_that_is_still_to_come(self) -> None:
        self.shop.at_once(self.shop.cancel(self.paid()))
        self.assert_caught("unsettled", self.changed(waiting=1), alone=False)
        self.assert_caught("forgotten", alone=False)

    def test_events_that_wait_and_messages_that_were_given_up(self) -> None:
        self.assert_caught("unsettled", self.changed(waiting=1))
        self.assert_caught("dead", self.changed(dead=1))

    def test_rows_that_nobody_is_told_of(self) -> None:
        self.assert_caught("hidden", self.changed(rows={"accounts": 1, "entries": 2, "orders": 0}))

    # The ledger

    def test_an_entry_that_is_missing(self) -> None:
        self.paid(), self.paid()
        self.shop.statements[USER].pop(1)
        self.assert_caught("ledger", alone=False)

    def test_a_running_balance_that_does_not_follow(self) -> None:
        self.paid(), self.paid()
        self.shop.statements[USER][1]["balance"] = 980
        self.assert_caught("ledger")

    def test_an_account_that_is_not_the_sum_of_its_entries(self) -> None:
        self.shop.accounts[USER]["balance"] = 1001
        self.assert_caught("ledger")

    def test_numbers_with_a_gap(self) -> None:
        self.shop.statements[USER][0]["id"] = 2
        self.assert_caught("ledger")

    def test_a_deposit_that_takes_and_a_charge_that_gives(self) -> None:
        call = self.shop.deposit(USER, -5)
        self.shop.at_once(call)
        self.assert_caught("ledger")

    def test_a_statement_without_an_account(self) -> None:
        self.shop.operations = []
        self.assert_caught("ledger", FinalState({}, {USER: []}, [], [], {}))

    def test_a_negative_balance(self) -> None:
        order = self.ordered(1001)
        self.shop.post(USER, "CHARGE", -1001, orderId=order)
        self.shop.charges.append(Charge(order, USER, 1001, 1))
        self.shop.orders[order].update(status="FINISHED", updatedAt=self.shop.time())
        self.assert_caught("ledger")

    # Answers

    def test_a_key_with_two_answers(self) -> None:
        call = self.shop.deposit(USER, 5)
        self.shop.at_once(call)
        self.shop.at_once(call)
        self.shop.change("deposit", createdAt="2026-01-01T00:00:59Z")
        self.assert_caught("answer")

    def test_a_key_of_an_order_with_two_answers(self) -> None:
        call = self.shop.order(USER, 5, has_own_id=False)
        self.shop.at_once(call)
        self.shop.settle()
        self.shop.at_once(call)
        self.assertEqual(self.breaches(), [])
        self.shop.change("order", status="FINISHED")
        self.assert_caught("answer")

    def test_an_answer_about_something_else(self) -> None:
        self.paid()
        for kind, changes in (
            ("order", {"id": "another"}),
            ("order", {"amount": 11}),
            ("deposit", {"userId": "somebody"}),
            ("open", {"userId": "somebody"}),
        ):
            with self.subTest(kind, **changes):
                before = list(self.shop.operations)
                self.shop.change(kind, **changes)
                self.assert_caught("answer", alone=False)
                self.shop.operations = before

    def test_a_request_that_is_refused(self) -> None:
        call = self.shop.deposit(USER, 5)
        call.outcome = (422, {"code": "INVALID_ARGUMENT"})
        self.shop.end(call)
        self.assert_caught("answer")

    def test_a_timeline_with_a_gap(self) -> None:
        order = self.refunded()
        self.shop.at_once(self.shop.timeline(order))
        events = self.shop.operations[-1].answer["events"]
        self.assertEqual(self.breaches(), [])
        for missing in range(3):
            self.shop.change("timeline", events=[*events[:missing], *events[missing + 1 :]])
            self.assert_caught("timeline", alone=False)

    # Refusals

    def test_an_order_that_is_refused_although_there_was_money_all_the_time(self) -> None:
        order = self.ordered(999)
        self.shop.orders[order].update(status="CANCELLED", reason="INSUFFICIENT_FUNDS")
        self.shop.charges.append(Charge(order, USER, 999, 2))
        self.assert_caught("refusal")

    def test_an_order_that_is_refused_when_there_was_no_money_for_a_moment(self) -> None:
        order = self.ordered(999)
        spender = self.ordered(2)
        self.shop.decide(spender), self.shop.decide(order)
        self.shop.at_once(self.shop.deposit(USER, 3))
        self.shop.at_once(self.shop.look(order))
        self.assertEqual(self.breaches(), [])

    def test_an_order_that_finds_no_account_where_there_was_one(self) -> None:
        order = self.ordered()
        self.shop.orders[order].update(status="CANCELLED", reason="NO_ACCOUNT")
        self.shop.charges.append(Charge(order, USER, 10, 3))
        self.assert_caught("refusal")

    def test_an_order_that_is_in_another_currency_than_its_account(self) -> None:
        order = self.ordered()
        self.shop.orders[order].update(status="CANCELLED", reason="CURRENCY_MISMATCH")
        self.shop.charges.append(Charge(order, USER, 10, 4))
        self.assert_caught("refusal")

    # Real time

    def test_the_first_page_of_a_long_statement(self) -> None:
        self.paid(), self.paid()
        self.shop.at_once(self.shop.statement(USER))
        page = self.shop.operations[-1].answer["entries"][:2]
        self.shop.change("statement", entries=page)
        self.assert_caught("real time")
        self.shop.change("statement", nextPageToken="more")
        self.assertEqual(self.breaches(), [])
        self.shop.change("statement", entries=page[1:])
        self.shop.at_once(self.shop.look(self.paid()))
        self.assertEqual(self.breaches(), [], "nobody had seen the second charge before")

    def test_a_balance_from_before_an_acknowledged_deposit(self) -> None:
        self.shop.at_once(self.shop.deposit(USER, 5))
        self.shop.at_once(self.shop.account(USER))
        self.shop.change("account", balance=1000)
        self.assert_caught("real time")

    def test_a_balance_that_the_account_never_had(self) -> None:
        self.shop.at_once(self.shop.account(USER))
        self.shop.change("account", balance=1001)
        self.assert_caught("real time")

    def test_a_balance_with_a_deposit_that_came_later(self) -> None:
        self.shop.at_once(self.shop.account(USER))
        self.shop.change("account", balance=1005)
        self.shop.at_once(self.shop.deposit(USER, 5))
        self.assert_caught("real time")

    def test_a_balance_from_before_a_charge_that_was_seen(self) -> None:
        order = self.paid()
        self.shop.at_once(self.shop.look(order))
        self.shop.at_once(self.shop.account(USER))
        self.assertEqual(self.breaches(), [])
        self.shop.change("account", balance=1000)
        self.assert_caught("real time")

    def test_two_reads_that_go_back_in_time(self) -> None:
        """Nobody was told of the deposit, and both balances were there; but not in this order."""
        call = self.shop.deposit(USER, 5)
        self.shop.act(call)
        self.shop.at_once(self.shop.account(USER))
        self.shop.at_once(self.shop.account(USER))
        self.shop.end(call)
        self.shop.change("account", balance=1000)
        self.assert_caught("real time")

    def test_a_statement_from_before_an_acknowledged_deposit(self) -> None:
        stale = self.shop.statements[USER][::-1]
        self.shop.at_once(self.shop.deposit(USER, 5))
        self.shop.at_once(self.shop.statement(USER))
        self.shop.change("statement", entries=stale)
        self.assert_caught("real time")

    def test_a_statement_with_an_entry_that_became_another(self) -> None:
        self.shop.at_once(self.shop.statement(USER))
        entry = self.shop.operations[-1].answer["entries"][0]
        self.shop.change("statement", entries=[{**entry, "createdAt": "2026-01-01T00:00:59Z"}])
        self.assert_caught("real time")

    def test_entries_in_another_order_than_their_acknowledgements(self) -> None:
        self.shop.at_once(self.shop.deposit(USER, 5))
        self.shop.at_once(self.shop.deposit(USER, 6))
        first, second = self.shop.statements[USER][1:]
        self.shop.statements[USER][1:] = [
            {**second, "id": 2, "balance": 1006},
            {**first, "id": 3, "balance": 1011},
        ]
        self.shop.change("deposit", balance=1006)
        self.assert_caught("real time", alone=False)

    def test_an_account_that_is_not_found_after_its_opening(self) -> None:
        call = self.shop.account(USER)
        call.outcome = MISSING
        self.shop.end(call)
        self.assert_caught("real time")

    def test_an_order_that_is_not_found_after_it_was_taken(self) -> None:
        order = self.paid()
        for call in (self.shop.look(order), self.shop.timeline(order), self.shop.cancel(order)):
            with self.subTest(call.kind):
                before = list(self.shop.operations)
                call.outcome = MISSING
                self.shop.end(call)
                self.assert_caught("real time")
                self.shop.operations = before

    def test_a_list_that_lacks_an_order(self) -> None:
        self.paid()
        self.shop.at_once(self.shop.list(USER))
        self.shop.change("list", orders=[])
        self.assert_caught("real time")

    def test_a_status_that_goes_back(self) -> None:
        order = self.ordered()
        self.shop.at_once(self.shop.look(order))
        early = self.shop.operations[-1].answer
        self.shop.decide(order)
        self.shop.at_once(self.shop.look(order))
        late = self.shop.look(order)
        late.outcome = (200, early)
        self.shop.end(late)
        self.assert_caught("status")

    def test_a_status_that_goes_back_for_whoever_posts_the_order_again(self) -> None:
        call = self.shop.order(USER, 10)
        early = dict(self.shop.at_once(call))
        self.shop.decide(early["id"])
        self.shop.at_once(self.shop.look(early["id"]))
        again = self.shop.begin("order", lambda: (201, early), **call.about)
        self.shop.at_once(again)
        self.assert_caught("status")

    def test_a_request_to_cancel_at_two_times(self) -> None:
        order = self.refunded()
        self.shop.at_once(self.shop.look(order))
        self.shop.change("cancel", cancelRequestedAt="2026-01-01T00:00:59Z")
        self.assert_caught("status")

    def test_a_status_that_goes_back_in_a_timeline(self) -> None:
        order = self.paid()
        self.shop.at_once(self.shop.look(order))
        self.shop.at_once(self.shop.timeline(order))
        self.shop.change("timeline", events=self.shop.operations[-1].answer["events"][:1])
        self.assert_caught("status")

    def test_a_status_that_is_another_in_the_end(self) -> None:
        order = self.paid()
        self.shop.at_once(self.shop.look(order))
        self.shop.change("look", status="CANCELLED", reason="INSUFFICIENT_FUNDS")
        self.assert_caught("status")

    def test_a_request_to_cancel_that_is_forgotten_for_a_moment(self) -> None:
        order = self.ordered()
        self.shop.at_once(self.shop.cancel(order))
        self.shop.at_once(self.shop.look(order))
        self.shop.change("look", cancelRequestedAt=None)
        self.shop.settle()
        self.assert_caught("status")

    def test_an_order_that_changes_when_it_is_over(self) -> None:
        order = self.paid()
        self.shop.at_once(self.shop.look(order))
        self.shop.orders[order]["updatedAt"] = "2026-01-01T00:00:59Z"
        self.assert_caught("changed")

    def test_what_was_seen_and_is_not_there(self) -> None:
        call = self.shop.order(USER, 10)
        self.shop.act(call)
        self.shop.at_once(self.shop.look(call.about["order"]))
        self.shop.end(call, is_answered=False)
        self.assert_caught("lost", self.changed(orders=[], rows={}))


def _concurrent_history(dice: random.Random) -> Shop:
    """An honest shop whose clients all talk at once, some of whom are never answered."""
    shop = Shop()
    users = [f"user {index}" for index in range(3)]
    begun: list[Call] = []
    amounts = itertools.count(1)
    for _ in range(150):
        user, orders = dice.choice(users), list(shop.orders)
        calls = [
            lambda: shop.deposit(user, next(amounts), has_key=dice.random() < 0.5),
            lambda: shop.order(user, dice.randint(1, 60), has_own_id=dice.random() < 0.6),
            lambda: shop.account(user),
            lambda: shop.statement(user),
            lambda: shop.list(user),
        ]
        if orders:
            calls += [partial(make, dice.choice(orders)) for make in (shop.look, shop.cancel, shop.timeline)]
        if not any(call.about["user"] == user for call in begun if call.kind == "open") and user not in shop.accounts:
            calls = [lambda: shop.opening(user), *calls[1:]]
        begun.append(dice.choice(calls)())
        for call in [call for call in begun if dice.random() < 0.3]:
            if call.outcome is None:
                # Nobody puts money on an account before it is there.
                if call.kind != "deposit" or call.about["user"] in shop.accounts:
                    shop.act(call)
            else:
                begun.remove(call)
                shop.end(call, is_answered=dice.random() < 0.8)
        for id in list(shop.orders):
            if dice.random() < 0.2:
                shop.decide(id)
            if dice.random() < 0.2:
                shop.refund(id)
    for call in begun:
        shop.end(call)
    shop.settle()
    return shop


def _random_reads(dice: random.Random) -> tuple[list[Operation], FinalState, bool]:
    """Deposits that are spent at once, so that balances repeat, and reads of them, at random times and with random
    results; and whether all of it may have happened in one order."""
    common = {"userId": USER, "currency": "RUB", "createdAt": "2026-01-01T00:00:00Z"}
    operations = [Operation("open", -2, -1, 201, common, USER)]
    balances, spans, entries, orders, charges = [0], [], [], [], []
    for number in range(1, 5):
        invoked, returned = sorted((dice.uniform(0, 6), dice.uniform(0, 6) + 2))
        spans.append((invoked, returned))
        id, is_deposit = f"{number}", number % 2 == 1
        amount = 8 + number if is_deposit else balances[-1]
        about = {**common, "id": id, "amount": amount}
        if is_deposit:
            balances.append(amount)
            entries.append({**about, "id": number, "kind": "DEPOSIT", "balance": amount, "depositId": id})
            answer = {**about, "balance": amount}
            operations.append(Operation("deposit", invoked, returned, 201, answer, USER, amount=amount, key=id))
        else:
            balances.append(0)
            entries.append({**about, "id": number, "kind": "CHARGE", "amount": -amount, "balance": 0, "orderId": id})
            orders.append({**about, "description": id, "status": "FINISHED", "updatedAt": common["createdAt"]})
            charges.append(Charge(id, USER, amount, 1))
            new = {**orders[-1], "status": "NEW"}
            operations.append(Operation("order", invoked, invoked, 201, new, USER, id, amount, label=id))
            operations.append(Operation("look", returned, returned, 200, orders[-1], order=id))
    reads = [(*sorted((dice.uniform(0, 8), dice.uniform(0, 8))), dice.choice(balances)) for _ in range(4)]
    operations += [Operation("account", *span, 200, {"balance": balance}, USER) for *span, balance in reads]
    final = FinalState({USER: {**common, "balance": balances[-1]}}, {USER: entries}, orders, charges, {})
    return operations, final, _fits(spans, balances, reads)


def _fits(spans: list[tuple[float, float]], balances: list[int], reads: list[tuple[float, float, int]]) -> bool:
    """Whether some order of the steps, as they stand in the ledger, and the reads has everything in its time."""

    def search(done: int, left: frozenset[int], least: float) -> bool:
        if done == len(spans) and not left:
            return True
        # Whatever is next happens as early as it can, which never hurts what follows.
        if done < len(spans) and max(least, spans[done][0]) <= spans[done][1]:
            if search(done + 1, left, max(least, spans[done][0])):
                return True
        return any(
            reads[read][2] == balances[done]
            and max(least, reads[read][0]) <= reads[read][1]
            and search(done, left - {read}, max(least, reads[read][0]))
            for read in left
        )

    return search(0, frozenset(range(len(reads))), 0.0)


class ScheduleTests(unittest.TestCase):
    def test_a_seed_makes_the_same_schedule_for_ever(self) -> None:
        self.assertEqual(make_schedule(5, 60), make_schedule(5, 60))
        self.assertNotEqual(make_schedule(5, 60), make_schedule(6, 60))
        command = [str(CHECKOUT / "tools" / "chaos"), "--seed", "5", "--seconds", "60", "--print"]
        for hash_seed in ("1", "2"):
            environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
            lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            self.assertEqual(lines.splitlines()[1:], [f"  {fault}" for fault in make_schedule(5, 60)])

    def test_every_fault_is_undone_in_time(self) -> None:
        for seed in range(100):
            for seconds in (1, 15, 40):
                for fault in make_schedule(seed, seconds):
                    self.assertGreater(fault.seconds, 0, fault)
                    self.assertLessEqual(fault.end, seconds, fault)

    def test_no_two_faults_are_at_work_in_the_same_place(self) -> None:
        for seed in range(100):
            free_at: dict[str, float] = {}
            for fault in make_schedule(seed, 60):
                for place in fault.places:
                    self.assertGreater(fault.at, free_at.get(place, -1), f"seed {seed}: {fault}")
                    free_at[place] = fault.end

    def test_not_everything_is_broken_at_once(self) -> None:
        for seed in range(50):
            faults = [fault for fault in make_schedule(seed, 60) if fault.kind != "remove"]
            for fault in faults:
                at_work = sum(other.at <= fault.at < other.end for other in faults)
                self.assertLessEqual(at_work, FAULTS_AT_ONCE_MAX + 3, f"seed {seed}: {fault}")

    def test_everything_happens_to_everything_some_time(self) -> None:
        faults = [fault for seed in range(60) for fault in make_schedule(seed, 60)]
        self.assertEqual({fault.kind for fault in faults}, {kind.fault for kind in KINDS.values()})
        self.assertGreater(min(Counter(place for fault in faults for place in fault.places).values()), 20)
        self.assertTrue(any(fault.kind == "kill" and len(fault.targets) > 3 for fault in faults))
        for kind in ("stop", "blackhole"):
            self.assertTrue(any(fault.kind == kind and fault.seconds > 10 for fault in faults), kind)

    def test_a_card_says_what_happens_to_whom(self) -> None:
        self.assertEqual(Card.of("kill several"), Card("kill several"))
        self.assertEqual(Card.of("kill postgres"), Card("kill", ("postgres",)))
        self.assertEqual(Card.of("lose answers orders-2 nats"), Card("lose answers", ("orders-2", "nats")))
        for text in ("melt postgres", "cut orders payments", "kill orders nats", "wipe postgres", "killpostgres", ""):
            with self.subTest(text), self.assertRaises(ValueError):
                Card.of(text)
        for fault in make_schedule(1, 60, [Card.of("kill postgres")]):
            self.assertEqual((fault.kind, fault.targets), ("kill", ("postgres",)))

    def test_a_deck_without_cards_is_a_schedule_without_faults(self) -> None:
        self.assertEqual(make_schedule(1, 60, ()), [])
        self.assertGreater(len(make_schedule(1, 60, DECK)), 20)


class LoadTests(unittest.TestCase):
    def test_no_two_deposits_to_an_account_have_the_same_amount(self) -> None:
        amounts = [OPENING_AMOUNT]
        for client in range(CLIENTS):
            amounts += itertools.islice(deposit_amounts(client, random.Random(client)), 200)
        self.assertEqual(len(set(amounts)), len(amounts))


class MutationTests(unittest.TestCase):
    def test_every_mutation_is_whole(self) -> None:
        names = [mutation.name for mutation in all_mutations()]
        self.assertGreaterEqual(len(names), 10)
        listed = subprocess.run(
            [sys.executable, str(CHECKOUT / "tools"), "chaos", "--list-mutations"], capture_output=True, text=True
        )
        self.assertEqual([line.split()[0] for line in listed.stdout.splitlines()], names)

    def test_a_mutation_that_is_not_there_is_named(self) -> None:
        answer = subprocess.run(
            [sys.executable, str(CHECKOUT / "tools"), "chaos", "--mutation", "nonsense"], capture_output=True, text=True
        )
        self.assertEqual(answer.returncode, 2)
        self.assertIn("no-unique-charge", answer.stderr)
