# Completion of vissl-host for fish: vissl-host completion fish | source. The executable itself knows the answers.

function __vissl_host_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path (commandline -ct)
            case ':nospace*'
            case '*'
                echo $line
        end
    end
end
complete -c vissl-host -f -a '(__vissl_host_complete)'
