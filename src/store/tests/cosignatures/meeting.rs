//! Over which head the witnesses are to meet, where some are slow, away, or ahead of the others.

use crate::rig::create;
use crate::{after, grow, heads, over, size, Witness, WRITTEN};

#[tokio::test]
async fn a_late_quorum_is_met_again_over_a_newer_head_where_a_witness_has_passed_the_asked_one_by() {
    // F2: a witness never cosigns a smaller head than before; what it cannot sign any more is not asked for without end
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 3).await;
    let first = witnesses.asked(after(0)).unwrap().unwrap();
    witnesses.bring(&Witness::number(1).cosigned(&first, WRITTEN), after(1)).await.unwrap();
    grow(&store, 2).await;
    let newer = store.log_checkpoint().unwrap();
    // by another way: out of the newest checkpoint, which is for all to see; the third witness is away
    witnesses.bring(&Witness::number(2).cosigned(&newer, WRITTEN), after(2)).await.unwrap();
    grow(&store, 2).await;
    let asked = |seconds| size(&witnesses.asked(after(seconds)).unwrap().unwrap());
    assert_eq!((asked(2), asked(59), asked(119)), (3, 3, 3), "the third may still come");
    assert_eq!(asked(120), 7, "the newest, and no smaller one");
    let next = witnesses.asked(after(121)).unwrap().unwrap();
    for number in [1, 2] {
        assert!(witnesses.late_since(after(121)).unwrap().is_some());
        witnesses.bring(&Witness::number(number).cosigned(&next, WRITTEN), after(121)).await.unwrap();
    }
    assert_eq!(witnesses.late_since(after(121)).unwrap(), None);
    assert_eq!(witnesses.cosigned().unwrap().0, 7);
}

#[tokio::test]
async fn a_head_that_too_many_have_passed_by_to_meet_over_it_is_given_up_as_soon_as_the_quorum_is_late() {
    // F2: nobody is waited for who could not make a quorum any more
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 3).await;
    witnesses.asked(after(0)).unwrap().unwrap();
    let heads = heads(&store, 2).await;
    for (number, head) in [(2, &heads[0]), (3, &heads[1])] {
        witnesses.bring(&Witness::number(number).cosigned(head, WRITTEN), after(2)).await.unwrap();
    }
    let asked = |seconds| size(&witnesses.asked(after(seconds)).unwrap().unwrap());
    assert_eq!((asked(59), asked(60)), (3, 5));
}

#[tokio::test]
async fn a_witness_that_has_cosigned_the_asked_head_and_a_newer_one_is_still_met_by_one_that_comes_late() {
    // F2: independent witnesses - one that is fast does not keep the slow ones apart
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 100).await;
    let asked = witnesses.asked(after(0)).unwrap().unwrap();
    witnesses.bring(&Witness::number(1).cosigned(&asked, WRITTEN), after(1)).await.unwrap();
    grow(&store, 5).await;
    let newer = store.log_checkpoint().unwrap();
    witnesses.bring(&Witness::number(1).cosigned(&newer, WRITTEN), after(2)).await.unwrap();
    for seconds in [60, 119, 120, 9999] {
        assert_eq!(size(&witnesses.asked(after(seconds)).unwrap().unwrap()), 100, "{seconds}");
    }
    witnesses.bring(&Witness::number(2).cosigned(&asked, WRITTEN), after(9999)).await.unwrap();
    assert_eq!(witnesses.cosigned().unwrap().0, 100);
}

#[tokio::test]
async fn a_late_quorum_goes_on_waiting_where_no_witness_has_passed_the_asked_head_by() {
    // F2: they have to meet over one head, however late they come
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 3).await;
    let first = witnesses.asked(after(0)).unwrap().unwrap();
    witnesses.bring(&Witness::number(1).cosigned(&first, WRITTEN), after(1)).await.unwrap();
    grow(&store, 2).await;
    for seconds in [59, 60, 9999] {
        assert_eq!(size(&witnesses.asked(after(seconds)).unwrap().unwrap()), 3, "{seconds}");
    }
}

#[tokio::test]
async fn a_witness_that_always_runs_ahead_does_not_keep_the_others_from_meeting() {
    // F2: independent witnesses - one of them alone takes the quorum from nobody
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let witnesses = over(&store);
    grow(&store, 1).await;
    witnesses.asked(after(0)).unwrap();
    // beside each step of the two, the third brings a line over a newer head, and the log goes on
    let ahead = async |seconds| {
        grow(&store, 1).await;
        let newest = store.log_checkpoint().unwrap();
        witnesses.bring(&Witness::number(3).cosigned(&newest, WRITTEN), after(seconds)).await.unwrap();
        grow(&store, 1).await;
    };
    ahead(59).await;
    for (seconds, number) in [(70, 1), (100, 2)] {
        let asked = witnesses.asked(after(seconds)).unwrap().unwrap();
        assert_eq!(size(&asked), 1, "these two can still meet over it");
        ahead(seconds).await;
        witnesses.bring(&Witness::number(number).cosigned(&asked, WRITTEN), after(seconds)).await.unwrap();
        ahead(seconds + 1).await;
        witnesses.asked(after(seconds + 2)).unwrap();
    }
    assert_eq!(witnesses.cosigned().unwrap().0, 1);
}
