# bash completion for minuteswarm

_minuteswarm() {
    local current=$2 previous=$3 command= word
    local commands="publish watch relay seed export inspect keygen link"
    local network="--listen --peer --tracker --uplink --no-dht --no-lsd --no-port-mapping --proxy --http --json --help"
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ " $commands " == *" $word "* ]]; then
            command=$word
            break
        fi
    done

    case $previous in
        --transcode) COMPREPLY=($(compgen -W "auto never always" -- "$current")); return ;;
        --key | --link-file | -o) COMPREPLY=($(compgen -f -- "$current")); return ;;
        --archive | --mirror | --cache) COMPREPLY=($(compgen -d -- "$current")); return ;;
        --player) COMPREPLY=($(compgen -c -- "$current")); return ;;
        --title | --chunk | --retain | --listen | --peer | --tracker | --web-seed | --uplink | --parity | --proxy | \
            --http | --latency | --cache-size | --from | --to | --channel) return ;;
    esac

    if [[ -z $command ]]; then
        COMPREPLY=($(compgen -W "$commands --help --version" -- "$current"))
        return
    fi
    local options=--help
    case $command in
        publish)
            options="--channel --key --title --chunk --archive --retain --transcode --loop --as-fast-as-possible
                --web-seed --mirror --private --no-edge --parity --link-file $network"
            ;;
        watch) options="--latency -o --player --open --cache --cache-size --keep $network" ;;
        relay) options="--cache --cache-size --keep $network" ;;
        seed) options=$network ;;
        export) options="-o --from --to --help" ;;
        link) options="--channel --key --help" ;;
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}

complete -o filenames -F _minuteswarm minuteswarm
