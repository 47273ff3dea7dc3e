"""The scheduler as a pure function: properties over arbitrary queues and machines, and the reasons in words."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vitui.supervisor.devices import Device, Process, matching
from vitui.supervisor.leases import Place
from vitui.supervisor.schedule import Action, Live, Start, Wait, Waiting, schedule

GB = 2**30
CPU = Device("cpu", -1, "2 cores", 1, 8 * GB, 4 * GB)


def gpu(index: int, *, slots: int = 1, free: float = 48, processes: tuple[Process, ...] = ()) -> Device:
    return Device(f"GPU-{index:08d}", index, "NVIDIA A40", slots, 48 * GB, int(free * GB), processes)


machines = st.lists(st.tuples(st.integers(1, 3), st.sampled_from([48.0, 30.0, 2.0]), st.booleans()), max_size=4).map(
    lambda gpus: [
        *(
            gpu(i, slots=slots, free=free, processes=(Process(9, "alice", "python", GB),) if other else ())
            for i, (slots, free, other) in enumerate(gpus)
        ),
        CPU,
    ]
)
requests = st.sampled_from(["auto", "cpu", "gpu", "gpu:0", "gpu:1", "gpu:7", "GPU-00000001", "nonsense"])
queues = st.lists(
    st.builds(
        Waiting,
        run_id=st.uuids().map(str),
        position=st.integers(0, 50),
        device=requests,
        gpus=st.integers(1, 3),
        held=st.booleans(),
        needs_gb=st.sampled_from([None, 1.0, 36.0]),
    ),
    max_size=12,
    unique_by=lambda run: run.run_id,
)


@given(queues, machines, st.data())
def test_never_two_on_a_slot_always_a_reason_never_a_held_run(
    queue: list[Waiting], machine: list[Device], data: st.DataObject
) -> None:
    slots = [Place(d.key, s) for d in machine for s in range(d.slots)]
    busy = data.draw(st.lists(st.sampled_from(slots), unique=True)) if slots else []
    leased = data.draw(st.lists(st.sampled_from(slots), unique=True)) if slots else []
    live = [Live(f"live{i}", (place,)) for i, place in enumerate(busy)]
    pause = data.draw(st.sampled_from(["", "three failures"]))
    actions = schedule(queue, live, machine, leased, pause)
    by_id = {run.run_id: run for run in queue}
    assert sorted(action.run_id for action in actions) == sorted(by_id)
    used = [*busy, *leased]
    for action in actions:
        run = by_id[action.run_id]
        if isinstance(action, Wait):
            assert action.reason.strip()
            continue
        assert not run.held and not pause
        assert len(action.places) == run.gpus and len({p.key for p in action.places}) == run.gpus
        for place in action.places:
            assert place in slots and place not in used
            used.append(place)
            assert place.key in {d.key for d in matching(run.device, machine)}
            device = next(d for d in machine if d.key == place.key)
            assert place.key == "cpu" or run.needs_gb is None or device.memory_free >= run.needs_gb * GB


@given(queues, machines)
def test_first_come_first_served_among_equal_requests(queue: list[Waiting], machine: list[Device]) -> None:
    started = [a.run_id for a in schedule(queue, [], machine) if isinstance(a, Start)]
    order = sorted(queue, key=lambda run: (run.position, run.run_id))
    for index, late in enumerate(order):
        if late.run_id not in started:
            continue
        for early in order[:index]:
            same = replace(early, run_id="", position=0) == replace(late, run_id="", position=0)
            assert not (same and early.run_id not in started), "overtaken by an equal request"


@given(queues, machines)
def test_an_idle_machine_starts_something_if_anything_fits(queue: list[Waiting], machine: list[Device]) -> None:
    plain = [run for run in queue if not run.held and run.gpus == 1 and run.device == "cpu"]
    if plain:
        first = min(plain, key=lambda run: (run.position, run.run_id))
        before = [r for r in queue if (r.position, r.run_id) < (first.position, first.run_id)]
        if not any(not r.held and r.device in ("auto", "cpu") for r in before):
            assert Start(first.run_id, (Place("cpu", 0),)) in schedule(queue, [], machine)


def only(actions: list[Action]) -> str:
    assert len(actions) == 1 and isinstance(actions[0], Wait)
    return actions[0].reason


def test_reasons_in_words() -> None:
    alice = (Process(9, "alice", "python", 18 * GB),)
    run = Waiting("b", 1)
    assert only(schedule([run], [Live("a", (Place("cpu", 0),))], [CPU])) == "CPU: busy with a"
    assert only(schedule([run], [], [CPU], [Place("cpu", 0)])) == "CPU: leased by another process"
    assert only(schedule([replace(run, held=True)], [], [CPU])) == "held; release it to let it start"
    assert only(schedule([run], [], [CPU], pause="3 runs failed")) == "the queue is paused: 3 runs failed"
    assert only(schedule([replace(run, device="gpu")], [], [CPU])) == "a GPU not found on this machine"
    assert only(schedule([replace(run, device="gpu")], [], [CPU], trouble="driver asleep")) == "driver asleep"
    one = [gpu(1, free=30, processes=alice), CPU]
    assert only(schedule([replace(run, device="gpu:1", needs_gb=36)], [], one)) == (
        "GPU 1: 30.0 of 48.0 GB free, needs 36, in use by alice (python, 18.0 GB)"
    )
    assert only(schedule([run], [], one)) == "GPU 1: 30.0 of 48.0 GB free, in use by alice (python, 18.0 GB)"
    assert schedule([replace(run, device="gpu:1")], [], one) == [Start("b", (Place("GPU-00000001", 0),))]


def test_a_run_for_two_gpus_is_not_starved_by_small_ones() -> None:
    machine = [gpu(0), gpu(1), CPU]
    live = [Live("a", (Place("GPU-00000000", 0),))]
    big, small, other = Waiting("big", 1, "gpu", 2), Waiting("small", 2, "gpu"), Waiting("cpu", 3, "cpu")
    actions = schedule([small, big, other], live, machine)
    assert actions[0] == Wait("big", "needs 2 GPUs, 1 free: GPU 0: busy with a")
    assert actions[1] == Wait("small", "GPU 0: busy with a; GPU 1: kept for big, which is ahead in the queue")
    assert actions[2] == Start("cpu", (Place("cpu", 0),))
    # A big run that cannot fit anyway (another user's memory) keeps nothing.
    actions = schedule([small, replace(big, needs_gb=36)], [], [gpu(0, free=2), gpu(1), CPU])
    assert actions[1] == Start("small", (Place("GPU-00000000", 0),))
