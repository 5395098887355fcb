//! Replacing damaged segments.

use crate::collection::Collection;
use crate::segment::file::Part;
use crate::shared::Writer;
use base::Result;

impl Collection {
    /// Replaces segments whose files were found to be damaged by new ones, and keeps the damaged files aside.
    pub(crate) fn mend_damaged(&self, writer: &mut Writer) -> Result<()> {
        let damaged = std::mem::take(&mut *self.shared.damaged.lock());
        for id in damaged {
            let snapshot = self.open_snapshot()?;
            let view = snapshot.view();
            let Some(seen) = view.segments.iter().find(|seen| seen.segment.id == id) else { continue };
            let (chunks, indexes) = snapshot.rebuild(seen)?;
            let new = writer.new_segment(self.shared.counters()?.next_segment);
            let segment = self.shared.write_segment(writer, new, chunks, &indexes)?;
            self.shared.transact(writer, |tables, counters| {
                counters.next_segment = segment.id + 1;
                tables.drop_segment(id)?;
                tables.name_segment(segment.id, &segment.row)
            })?;
            self.quarantine(id);
            self.shared.notice(format!("the damaged segment {id:016x} has been rebuilt from the stored documents"));
        }
        Ok(())
    }

    /// Puts the files of a segment aside, for whoever wants to know what happened to them.
    fn quarantine(&self, id: u64) {
        for part in Part::ALL {
            let name = part.file_name(id);
            let from = self.shared.dir.join(&name);
            // A file that is not there cannot be kept.
            let _ = self.shared.storage.rename(&from, &self.shared.dir.join(format!("{name}.damaged")));
        }
    }
}
