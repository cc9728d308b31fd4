//! The kinds of defect that the rendered line can make, and which of them change *what* is there
//! and which change *where* things are.

/// Which of the two questions about a part a kind of defect answers wrongly.
///
/// This is ground truth about the scene, known because the renderer made it. It serves to
/// validate the what/where shares of an inspection; nothing that judges may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pathway {
    /// Something looks wrong where it lies: another material, a mark, a broken surface, a thing
    /// that belongs to no part.
    What,
    /// The right things in the wrong places, or a place left empty.
    Where,
}

impl Pathway {
    /// `"what"` or `"where"`, as in the output of `andon inspect --json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::What => "what",
            Self::Where => "where",
        }
    }
}

/// A kind of defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefectKind {
    /// One of the four screws is not there; its threaded hole shows.
    MissingScrew,
    /// One of the four screws is of another material or has another drive.
    WrongScrew,
    /// One or a few scratches in the surface of the plate.
    Scratch,
    /// Oil, rusty water or coolant has dried on the plate or on what is mounted on it.
    Stain,
    /// The surface of the plate is dented.
    Dent,
    /// A piece of the plate has broken off its edge.
    Chip,
    /// The label sits some millimetres away from its place.
    MovedLabel,
    /// The label sits at its place but is turned, sometimes upside down.
    RotatedLabel,
    /// There is no label.
    MissingLabel,
    /// The label and the round-cornered sticker have exchanged places.
    SwappedParts,
    /// Swarf or a piece of thread lies on the part.
    ForeignObject,
}

impl DefectKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 11] = [
        Self::MissingScrew,
        Self::WrongScrew,
        Self::Scratch,
        Self::Stain,
        Self::Dent,
        Self::Chip,
        Self::MovedLabel,
        Self::RotatedLabel,
        Self::MissingLabel,
        Self::SwappedParts,
        Self::ForeignObject,
    ];

    /// A short lower-case name that is safe in file names and JSON, such as `"missing_screw"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingScrew => "missing_screw",
            Self::WrongScrew => "wrong_screw",
            Self::Scratch => "scratch",
            Self::Stain => "stain",
            Self::Dent => "dent",
            Self::Chip => "chip",
            Self::MovedLabel => "moved_label",
            Self::RotatedLabel => "rotated_label",
            Self::MissingLabel => "missing_label",
            Self::SwappedParts => "swapped_parts",
            Self::ForeignObject => "foreign_object",
        }
    }

    /// The pathway on which this kind should show: ground truth for validation.
    pub fn pathway(self) -> Pathway {
        match self {
            Self::WrongScrew
            | Self::Scratch
            | Self::Stain
            | Self::Dent
            | Self::Chip
            | Self::ForeignObject => Pathway::What,
            Self::MissingScrew
            | Self::MovedLabel
            | Self::RotatedLabel
            | Self::MissingLabel
            | Self::SwappedParts => Pathway::Where,
        }
    }
}

impl std::fmt::Display for DefectKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(self.as_str())
    }
}

/// One defective place of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// What is wrong there.
    pub kind: DefectKind,
    /// The smallest box around the defective pixels of this place: x, y, width and height in
    /// pixels of the frame.
    pub bbox: [u32; 4],
}
