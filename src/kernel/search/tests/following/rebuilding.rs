//! A rebuild beside everybody's questions: the old index answers until the new one has what changed meanwhile, in every process.

use super::*;
use crate::both;

both!(
    a_rebuild_answers_all_the_while,
    an_index_is_followed_while_another_is_built,
    a_rebuild_reaches_every_process
);

async fn a_rebuild_answers_all_the_while(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot")), ("b", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    // Something the ledger never told of is put right by a rebuild only.
    house.shelf.0.lock().unwrap().remove("b");
    let search = house.search.clone();
    let rebuilding = tokio::spawn(async move { search.rebuild().await });
    while !rebuilding.is_finished() {
        assert!(house.total("teapot").await == 1);
        tokio::task::yield_now().await;
    }
    rebuilding.await.unwrap().unwrap();
    assert_eq!(house.total("").await, 1);
    house.close().await;
}

async fn an_index_is_followed_while_another_is_built(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot")), ("b", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    let (db, shelf) = house.close().await;
    // As a program left it whose index held less.
    let place = db.folder().join("index/0");
    let current = std::fs::read_to_string(place.join("current")).unwrap();
    let meta = place.join(current.trim()).join("meta.json");
    let text = std::fs::read_to_string(&meta).unwrap();
    let (now, then) = (schema::SCHEMA_VERSION, schema::ANSWERS_FROM);
    let older = text.replacen(&format!("\\\"schema\\\":{now}"), &format!("\\\"schema\\\":{then}"), 1);
    assert_ne!(older, text);
    std::fs::write(&meta, older).unwrap();
    // Something the ledger never told of shows which of the two answers.
    shelf.0.lock().unwrap().remove("b");
    shelf.2.store(true, Ordering::Relaxed);
    let house = House::open(db, shelf);
    let at = house.write(&[("c", 1, Some("bowl")), ("a", 2, Some("vase"))]).await;
    assert!(
        house.search.wait_for(at, LONG).await.unwrap(),
        "what is written is found meanwhile"
    );
    let builds = || house.search.inner().unwrap().built.borrow().builds;
    let counts = async || {
        let mut counts = Vec::new();
        for word in ["bowl", "vase", "teapot", "cup"] {
            counts.push(house.total(word).await);
        }
        counts
    };
    assert_eq!((counts().await, builds()), (vec![1, 1, 0, 1], 0), "the old one answers");
    let mut built = house.search.inner().unwrap().built.subscribe();
    house.shelf.2.store(false, Ordering::Relaxed);
    built.wait_for(|built| built.builds == 1).await.unwrap();
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!(counts().await, [1, 1, 0, 0], "the new one has what changed meanwhile");
    // The same where somebody asks for it.
    house.shelf.2.store(true, Ordering::Relaxed);
    let search = house.search.clone();
    let rebuilding = tokio::spawn(async move { search.rebuild().await });
    for n in 3..6 {
        let at = house.write(&[("a", n, Some("ewer")), ("c", n - 1, None)]).await;
        assert!(house.search.wait_for(at, LONG).await.unwrap());
        assert_eq!(
            (house.total("ewer").await, house.total("bowl").await, builds()),
            (1, 0, 1)
        );
    }
    house.shelf.2.store(false, Ordering::Relaxed);
    rebuilding.await.unwrap().unwrap();
    assert_eq!((house.total("ewer").await, house.total("").await, builds()), (1, 1, 2));
    let (db, shelf) = house.close().await;
    let house = House::open(db, shelf);
    let at = house.write(&[("d", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!(
        house.search.inner().unwrap().built.borrow().builds,
        0,
        "it is as this program writes it"
    );
    house.close().await;
}

async fn a_rebuild_reaches_every_process(db: TestDb) {
    let house = House::open(db, Arc::default());
    let at = house.write(&[("a", 1, Some("teapot")), ("b", 1, Some("cup"))]).await;
    // Another process on the same database, with an index of its own.
    let other = Search::open(house.db.folder(), &settings(), Clock::system()).unwrap();
    let stop = CancellationToken::new();
    let task = other.start(vec![house.shelf.clone()], &house.db, stop.clone()).unwrap();
    assert!(other.wait_for(at, LONG).await.unwrap());
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    house.shelf.0.lock().unwrap().remove("b");
    assert_eq!(other.search(everything("")).await.unwrap().total, 2);
    let mut built = other.inner().unwrap().built.subscribe();
    house.search.rebuild().await.unwrap();
    let asked = house.search.inner().unwrap().built.borrow().asked;
    assert_eq!((house.total("").await, asked), (1, 1));
    built.wait_for(|built| built.asked >= asked).await.unwrap();
    assert_eq!(other.search(everything("")).await.unwrap().total, 1);
    assert_eq!(other.inner().unwrap().built.borrow().builds, 2);
    stop.cancel();
    task.await.unwrap();
    // One that starts later with an index from before makes up for it; one from after has nothing to do.
    assert_eq!(house.search.inner().unwrap().built.borrow().builds, 2);
    rebuild::ask(&house.db).await.unwrap();
    let (db, shelf) = house.close().await;
    let house = House::open(db, shelf);
    let mut built = house.search.inner().unwrap().built.subscribe();
    built.wait_for(|built| built.asked >= 2).await.unwrap();
    let (db, shelf) = house.close().await;
    let house = House::open(db, shelf);
    let at = house.write(&[("c", 1, Some("cup"))]).await;
    assert!(house.search.wait_for(at, LONG).await.unwrap());
    assert_eq!(house.search.inner().unwrap().built.borrow().builds, 0);
    house.close().await;
}
