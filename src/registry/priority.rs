//! Why the registry is asked, which decides who goes first. Each operation has a class of its own; work that has another reason
//! to ask says so: `priority::run(CallClass::UrgentPull, async { … }).await`.

use std::future::Future;

use iys::Operation;
use kopru_domain::governor::CallClass;

tokio::task_local! {
    static CLASS: CallClass;
}

/// Runs work whose calls of the registry are of this class. Tasks that it spawns have to say so again.
pub async fn run<F: Future>(class: CallClass, work: F) -> F::Output {
    CLASS.scope(class, work).await
}

/// The class of a call that is about to be made.
pub(super) fn class_of(operation: Operation) -> CallClass {
    match operation {
        // Everybody waits for the token, whoever asks for it.
        Operation::Token => CallClass::Login,
        _ => CLASS.try_with(|class| *class).unwrap_or_else(|_| usual(operation)),
    }
}

fn usual(operation: Operation) -> CallClass {
    match operation {
        Operation::Token => CallClass::Login,
        Operation::Add | Operation::AddBatch | Operation::Status | Operation::Statuses => CallClass::Filing,
        Operation::BatchResult => CallClass::BatchResult,
        Operation::History => CallClass::Person,
        _ => CallClass::Background,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_says_its_class_and_tokens_are_everybodys() {
        assert_eq!(class_of(Operation::Changes), CallClass::Background);
        let classes = run(CallClass::UrgentPull, async {
            let inner = run(CallClass::Person, async { class_of(Operation::Statuses) }).await;
            (class_of(Operation::Changes), inner, class_of(Operation::Token))
        });
        assert_eq!(classes.await, (CallClass::UrgentPull, CallClass::Person, CallClass::Login));
        assert_eq!(class_of(Operation::Statuses), CallClass::Filing);
    }
}
