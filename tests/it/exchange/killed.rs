//! An import whose process dies goes on where it stopped.

use vitrine::both;

use super::*;

both!(a_killed_import_goes_on);

/// A batch after which the process dies: the job's lease is gone and the cursor stands where it stood.
async fn a_killed_import_goes_on(db: TestDb) {
    let place = Place::new(&db).await;
    let lines = museum(900);
    for stop_after in [1u64, 150, 420, 899] {
        let type_name = format!("thing-{stop_after}");
        let job = place
            .begin(lines.as_bytes(), &format!("type={type_name}&infer=true&key=id"))
            .await;
        let dies = {
            let worker = place.worker.clone();
            tokio::spawn(async move { worker.drain().await })
        };
        let mut moved = place
            .house
            .app
            .kernel
            .db
            .signals()
            .subscribe(vitrine::kernel::db::Signal::Ledger);
        loop {
            moved.borrow_and_update();
            let (rows,): (i64,) = sql("SELECT COUNT(*) FROM record WHERE type = $1")
                .bind(&type_name)
                .one(&*db)
                .await
                .unwrap();
            if rows as u64 >= stop_after || dies.is_finished() {
                break;
            }
            let _ = tokio::time::timeout(std::time::Duration::from_millis(50), moved.changed()).await;
        }
        dies.abort();
        let _ = dies.await;
        // As after a kill -9: nobody holds the job any more.
        let id = &job;
        db.write(vitrine::kernel::db::Write::interactive("test.kill"), |tx| {
            Box::pin(async move {
                sql("UPDATE job SET lease_until = 0, worker = 'dead' WHERE id = $1 AND state = 'running'")
                    .bind(id)
                    .exec(tx)
                    .await
            })
        })
        .await
        .unwrap();
        let other = Place {
            worker: Worker::new(
                &place.house.app.kernel.db,
                "another",
                place.house.app.handlers(),
                WorkerOptions::from_config(&place.house.app.kernel.config),
            )
            .unwrap(),
            house: House::new(&db).await,
            router: place.router.clone(),
        };
        other
            .worker
            .run_one(&job, &tokio_util::sync::CancellationToken::new())
            .await
            .unwrap();
        let view = place.look(&job).await;
        counts(&view, 900, 0, 0, 0);
        let (rows, versions): (i64, i64) = sql(
            "SELECT (SELECT COUNT(*) FROM record WHERE type = $1), (SELECT COUNT(*) FROM version v JOIN record r ON r.id = v.entity WHERE r.type = $1)",
        )
        .bind(&type_name)
        .one(&*db)
        .await
        .unwrap();
        assert_eq!((rows, versions), (900, 900), "each row exactly once");
        other.house.app.close().await;
    }
    place.close().await;
}
